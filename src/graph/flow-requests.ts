/**
 * What the Graph API is asked of a Flow. Pure; what Meta would refuse and a caller can know is a TypeError, which quotes
 * nothing.
 *
 * Source: Meta, "Flows API".
 */
import { graphId } from './endpoint.ts';
import { required } from './messages.ts';

const MAX_FLOW_JSON_BYTES = 10 * 1024 * 1024;

/** The text of the file, or what it parses to: at most 10 MB. Lines that Meta tells are those of the text. */
export type FlowJsonFile = string | object;

export type FlowCategory =
  | 'SIGN_UP'
  | 'SIGN_IN'
  | 'APPOINTMENT_BOOKING'
  | 'LEAD_GENERATION'
  | 'SHOPPING'
  | 'CONTACT_US'
  | 'CUSTOMER_SUPPORT'
  | 'SURVEY'
  | 'OTHER';

export interface NewFlow {
  /** No other Flow of the account may have it. At most 200 characters. */
  readonly name: string;
  /** At least one. */
  readonly categories: readonly FlowCategory[];
  readonly json?: FlowJsonFile | undefined;
  /** Goes with `json`: publishes at once, if it can be. */
  readonly publish?: boolean | undefined;
  readonly endpointUri?: string | undefined;
  readonly cloneFlowId?: string | undefined;
}

export interface FlowEndpointSettings {
  /** https, of a publicly trusted certificate. */
  readonly endpointUri: string;
  /** The Meta app whose secret is to sign the requests; left out, it stays as it is. */
  readonly applicationId?: string | undefined;
}

export function newFlowBody({ name, categories, json, publish, endpointUri, cloneFlowId }: NewFlow): object {
  if ([...required('name', name)].length > 200) throw new TypeError('the name of a Flow has at most 200 characters');
  if (!Array.isArray(categories) || categories.length === 0) throw new TypeError('a Flow has at least one category');
  if (publish && json === undefined)
    throw new TypeError('publish goes with json: without one there is nothing to publish');
  return {
    name,
    categories,
    ...(json !== undefined && { flow_json: flowJsonText(json) }),
    ...(publish !== undefined && { publish }),
    ...(endpointUri !== undefined && { endpoint_uri: httpsUrl(endpointUri) }),
    ...(cloneFlowId !== undefined && { clone_flow_id: graphId('cloneFlowId', cloneFlowId, 'the Flow to clone') }),
  };
}

/** Meta wants these names, whatever the file is called here. */
export function assetForm(json: FlowJsonFile): FormData {
  const form = new FormData();
  form.append('name', 'flow.json');
  form.append('asset_type', 'FLOW_JSON');
  form.append('file', new Blob([flowJsonText(json)], { type: 'application/json' }), 'flow.json');
  return form;
}

function flowJsonText(json: FlowJsonFile): string {
  const text = typeof json === 'string' ? json : ((JSON.stringify(json) as string | undefined) ?? '');
  if (Buffer.byteLength(text) > MAX_FLOW_JSON_BYTES) throw new TypeError('a Flow JSON has at most 10 MB');
  if (!isJsonObject(text))
    throw new TypeError('a Flow JSON must be a JSON object: `flowgate flow check` tells where it is not');
  return text;
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

export function endpointBody({ endpointUri, applicationId }: FlowEndpointSettings): object {
  return {
    endpoint_uri: httpsUrl(endpointUri),
    ...(applicationId !== undefined && { application_id: graphId('applicationId', applicationId, 'the Meta app') }),
  };
}

function httpsUrl(url: string): string {
  const { protocol, username, password } = URL.canParse(url) ? new URL(url) : { protocol: '' };
  if (protocol === 'https:' && !username && !password) return url;
  throw new TypeError('endpointUri must be an https URL without a user: Meta calls nothing else');
}
