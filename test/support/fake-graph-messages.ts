/** What the Graph API demands of a message, as strictly as Meta documents it. */
import { isObject, type JsonObject, type JsonValue } from '../../src/json.ts';
import { demand, Refusal } from './fake-graph-refusal.ts';

const MAX_TEXT_CHARS = 4_096;

/** @returns whom it is for. */
export function checkMessage(body: JsonObject, isMedia: (id: JsonValue | undefined) => boolean): string {
  const { messaging_product, type, to, recipient, context } = body;
  demand(messaging_product === 'whatsapp', 'messaging_product');
  demand(body['recipient_type'] === 'individual', 'recipient_type');
  const user = to ?? recipient;
  demand(typeof user === 'string' && user !== '', 'to or recipient');
  demand(context === undefined || (isObject(context) && typeof context['message_id'] === 'string'), 'context');
  demand(typeof type === 'string', 'type');
  const content = body[type];
  demand(isObject(content), `no ${type}`);
  if (type === 'text') demand(isText(content['body'], MAX_TEXT_CHARS), `text ${content['body']}`);
  else if (type === 'document') demand(isMedia(content['id']), `media ${content['id']}`);
  else if (type === 'interactive') checkFlow(content);
  else if (type === 'template') checkTemplate(content);
  else throw new Refusal(`(#100) unsupported type ${type}`, 400, 100);
  return user;
}

function checkFlow({ type, body, action }: JsonObject): void {
  demand(type === 'flow' && isObject(action) && action['name'] === 'flow', 'action');
  demand(isObject(body) && isText(body['text']), 'body');
  const parameters = action['parameters'];
  demand(isObject(parameters) && parameters['flow_message_version'] === '3', 'parameters');
  const { flow_id, flow_name, flow_cta, flow_action = 'navigate', flow_action_payload: payload } = parameters;
  demand((flow_id === undefined) !== (flow_name === undefined), 'one of flow_id and flow_name');
  demand(isText(flow_cta), 'flow_cta');
  if (flow_action === 'data_exchange') demand(payload === undefined, 'flow_action_payload');
  else demand(payload === undefined || isPayload(payload), 'flow_action_payload');
}

function checkTemplate({ name, language, components = [] }: JsonObject): void {
  demand(isText(name) && isObject(language) && isText(language['code']), 'template');
  demand(Array.isArray(components), 'components');
  for (const component of components) {
    demand(isObject(component) && isText(component['type']), 'component');
    if (component['sub_type'] === 'flow') checkFlowButton(component);
  }
}

function checkFlowButton({ type, index, parameters }: JsonObject): void {
  demand(type === 'button' && typeof index === 'string' && /^\d$/.test(index), 'index');
  const [parameter] = Array.isArray(parameters) ? parameters : [];
  demand(isObject(parameter) && parameter['type'] === 'action' && isObject(parameter['action']), 'action');
  const { flow_token, flow_action_data: data } = parameter['action'];
  demand(isText(flow_token), 'flow_token');
  demand(data === undefined || (isObject(data) && Object.keys(data).length > 0), 'flow_action_data');
}

/** @returns the id of the message that was read. */
export function checkReceipt(body: JsonObject): string {
  const { message_id, typing_indicator } = body;
  demand(body['messaging_product'] === 'whatsapp' && typeof message_id === 'string' && message_id !== '', 'message_id');
  const isTyping = isObject(typing_indicator) && typing_indicator['type'] === 'text';
  demand(typing_indicator === undefined || isTyping, 'typing_indicator');
  return message_id;
}

function isPayload(payload: JsonValue): boolean {
  if (!isObject(payload) || typeof payload['screen'] !== 'string') return false;
  const { data } = payload;
  return data === undefined || (isObject(data) && Object.keys(data).length > 0);
}

function isText(text: JsonValue | undefined, maxChars = Number.POSITIVE_INFINITY): boolean {
  return typeof text === 'string' && text !== '' && [...text].length <= maxChars;
}
