/**
 * The Flows of a business account at Meta: create, upload the Flow JSON, connect the endpoint, publish, deprecate, read.
 *
 * A Flow is published once it has no validation errors; a change to a published one makes it a draft again. What may have
 * been done is never asked for twice: after a failure that `isUncertain`, read the Flow. Needs a token with
 * `whatsapp_business_management`.
 * Source: Meta, "Flows API".
 */
import { type JsonObject, nonEmptyString } from '../json.ts';
import { callGraph, type GraphCall, isSuccess } from './call.ts';
import { type GraphConnection, graphId, toEndpoint } from './endpoint.ts';
import {
  FLOW_FIELDS,
  type FlowInfo,
  type FlowValidationError,
  flowInfoOf,
  validationErrorsOf,
} from './flow-replies.ts';
import {
  assetForm,
  endpointBody,
  type FlowEndpointSettings,
  type FlowJsonFile,
  type NewFlow,
  newFlowBody,
} from './flow-requests.ts';
import type { GraphAction } from './graph-error.ts';
import { Patience, persist, type RetryOptions, toRetryPolicy } from './retry.ts';

export type { FlowHealth, FlowInfo, FlowProblem, FlowStatus, FlowValidationError } from './flow-replies.ts';
export type { FlowCategory, FlowEndpointSettings, FlowJsonFile, NewFlow } from './flow-requests.ts';

/** Meta checks the Flow JSON, and the endpoint before it publishes. */
const FLOW_TIMEOUT_MS = 30_000;

const ONCE = { isRepeatable: false, about: 'Flow' };
const REPEATABLE = { isRepeatable: true, about: 'Flow' };
const SUCCESS = '"success": true';
const CREATE: GraphAction = { label: 'create the Flow', wants: 'an id', ...ONCE, about: 'business account' };
const UPLOAD: GraphAction = { label: 'upload the Flow JSON', wants: SUCCESS, ...REPEATABLE };
const PUBLISH: GraphAction = { label: 'publish the Flow', wants: SUCCESS, ...ONCE };
const DEPRECATE: GraphAction = { label: 'deprecate the Flow', wants: SUCCESS, ...ONCE };
const CONNECT: GraphAction = { label: 'set the endpoint of the Flow', wants: SUCCESS, ...REPEATABLE };
const READ: GraphAction = { label: 'read the Flow', wants: 'an id and a name', ...REPEATABLE };

export interface GraphFlowsOptions extends GraphConnection, RetryOptions {
  /** The id of the WhatsApp business account (WABA). */
  readonly businessAccountId: string;
}

export interface CreatedFlow {
  readonly flowId: string;
  /** The Flow was created all the same, as a draft. */
  readonly validationErrors: readonly FlowValidationError[];
}

/**
 * Each rejects with a GraphError, with a TypeError for what Meta could not take, or with the reason of `signal` once that
 * is aborted. 30 s a try.
 */
export interface GraphFlows {
  create(flow: NewFlow, signal?: AbortSignal): Promise<CreatedFlow>;
  /** Replaces the Flow JSON. @returns what keeps it from being published: Meta takes it all the same. */
  uploadJson(flowId: string, json: FlowJsonFile, signal?: AbortSignal): Promise<readonly FlowValidationError[]>;
  /** For good, up to the next change. Meta asks the endpoint first. */
  publish(flowId: string, signal?: AbortSignal): Promise<void>;
  /** For good: it cannot be sent or opened any more, and not be published again. */
  deprecate(flowId: string, signal?: AbortSignal): Promise<void>;
  setEndpoint(flowId: string, settings: FlowEndpointSettings, signal?: AbortSignal): Promise<void>;
  read(flowId: string, signal?: AbortSignal): Promise<FlowInfo>;
}

/** @throws TypeError for options no call could work with. */
export function createGraphFlows(options: GraphFlowsOptions): GraphFlows {
  const endpoint = toEndpoint(options);
  const account = graphId('businessAccountId', options.businessAccountId, 'the WhatsApp business account');
  const policy = toRetryPolicy(options);

  function call<T>(call: GraphCall<T>): Promise<T> {
    const patience = new Patience(call, policy.maxWaitMs, endpoint.clock);
    return persist(() => callGraph(endpoint, { ...call, timeoutMs: FLOW_TIMEOUT_MS }), patience, policy);
  }

  return {
    async create(flow, signal) {
      return call({ action: CREATE, path: `${account}/flows`, body: newFlowBody(flow), signal, read: createdFlowOf });
    },
    async uploadJson(flowId, json, signal) {
      const path = `${flow(flowId)}/assets`;
      return call({ action: UPLOAD, path, body: assetForm(json), signal, read: uploadOf });
    },
    async publish(flowId, signal) {
      await call({ action: PUBLISH, path: `${flow(flowId)}/publish`, body: {}, signal, read: isSuccess });
    },
    async deprecate(flowId, signal) {
      await call({ action: DEPRECATE, path: `${flow(flowId)}/deprecate`, body: {}, signal, read: isSuccess });
    },
    async setEndpoint(flowId, settings, signal) {
      const body = endpointBody(settings);
      await call({ action: CONNECT, path: flow(flowId), body, signal, read: isSuccess });
    },
    async read(flowId, signal) {
      return call({ action: READ, path: `${flow(flowId)}?fields=${FLOW_FIELDS}`, signal, read: flowInfoOf });
    },
  };
}

const flow = (flowId: string) => graphId('flowId', flowId, 'the Flow');

function createdFlowOf(reply: JsonObject): CreatedFlow | undefined {
  const flowId = nonEmptyString(reply['id']);
  return flowId === undefined ? undefined : { flowId, validationErrors: validationErrorsOf(reply) };
}

/** Meta says success beside the errors; errors alone would tell as much. */
function uploadOf(reply: JsonObject): readonly FlowValidationError[] | undefined {
  const errors = validationErrorsOf(reply);
  return isSuccess(reply) || errors.length > 0 ? errors : undefined;
}
