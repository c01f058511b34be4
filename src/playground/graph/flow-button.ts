/** The button of a message that opens a Flow: which of the app's, and where. */
import type { FlowDefinition } from '../../flows/flow-definition.ts';
import { flowOfToken } from '../../flows/flow-scope.ts';
import type { JsonObject } from '../../json.ts';
import { TEST_USER } from '../../testing/webhook-events.ts';
import { looksMinted } from '../../tokens/minted-token.ts';
import type { FlowButton, FlowStart } from '../sent.ts';
import { invalid } from './graph-refusal.ts';
import { object, oneOf, optionalData, optionalText, text } from './read-fields.ts';

export type KnownFlows = ReadonlyMap<string, Pick<FlowDefinition, 'name' | 'metaFlow' | 'credentials'>>;

/** What Meta gives a message without one. */
const NO_TOKEN = 'unused';

/** @param parameters of the action of an interactive message. @throws GraphRefusal. */
export function readFlowButton(parameters: JsonObject, flows: KnownFlows): FlowButton {
  oneOf('flow_message_version', parameters['flow_message_version'], ['3']);
  const [id, name] = ['flow_id', 'flow_name'].map((key) => optionalText(key, parameters[key]));
  if ((id === undefined) === (name === undefined)) throw invalid('flow_id', 'there, or flow_name in its place');
  const { mode = 'published' } = parameters;
  oneOf('mode', mode, ['published', 'draft']);
  const token = optionalText('flow_token', parameters['flow_token']) ?? NO_TOKEN;
  const flow = namedFlow(flows, id, name) ?? tokenFlow(flows, token);
  const start = readStart(parameters);
  return {
    label: text('flow_cta', parameters['flow_cta']),
    ...readToken(token),
    called: id ?? name ?? '',
    ...(flow !== undefined && { flow }),
    ...(start && { start }),
  };
}

/** @param action of the button. Which Flow it opens, and how, stands in the template: the token tells the one. */
export function readTemplateButton(action: JsonObject, flows: KnownFlows): FlowButton {
  const token = optionalText('flow_token', action['flow_token']) ?? NO_TOKEN;
  const data = optionalData('flow_action_data', action['flow_action_data']);
  const flow = tokenFlow(flows, token);
  return { ...readToken(token), ...(flow !== undefined && { flow }), ...(data && { start: { data } }) };
}

function readToken(token: string): Pick<FlowButton, 'token' | 'user'> {
  const { userId } = TEST_USER;
  const isMinted = looksMinted(token.slice(0, token.lastIndexOf(':')), token);
  return { token, ...(isMinted && userId !== undefined && { user: userId }) };
}

function readStart(parameters: JsonObject): FlowStart | undefined {
  const { flow_action: action = 'navigate', flow_action_payload: payload } = parameters;
  if (oneOf('flow_action', action, ['navigate', 'data_exchange']) === 'data_exchange') {
    if (payload !== undefined) throw invalid('flow_action_payload', 'left out with data_exchange');
    return undefined;
  }
  if (payload === undefined) return { data: {} };
  const { screen, data } = object('flow_action_payload', payload);
  return {
    screen: text('flow_action_payload.screen', screen),
    data: optionalData('flow_action_payload.data', data) ?? {},
  };
}

/** As Meta finds it, by what the app says that its Flows are called there. */
function namedFlow(flows: KnownFlows, id: string | undefined, name: string | undefined): string | undefined {
  for (const { name: own, metaFlow } of flows.values()) {
    if ('flowId' in metaFlow ? metaFlow.flowId === id : metaFlow.flowName === name) return own;
  }
  return undefined;
}

function tokenFlow(flows: KnownFlows, token: string): string | undefined {
  const named = flowOfToken(token);
  return named !== undefined && flows.has(named) ? named : undefined;
}
