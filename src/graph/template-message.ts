/**
 * Template messages: what may be sent to a user who wrote more than 24 hours ago, with a button that opens a Flow if the
 * template has one.
 *
 * Pure. Which Flow the button opens, and by what words, is part of the template that Meta approved.
 * Source: Meta, "Template messages", "Sending a Flow" by a template.
 */
import { wholeNumber } from '../checks.ts';
import { message, type Recipient, required } from './messages.ts';

export interface TemplateMessage {
  readonly name: string;
  /** As the template has it: `en_US`. */
  readonly language: string;
  /** What fills its variables, as Meta takes it: `[{ type: 'body', parameters: [{ type: 'text', text: 'Ada' }] }]`. */
  readonly components?: readonly object[] | undefined;
  /** For its button that opens a Flow. */
  readonly flow?: TemplateFlow | undefined;
}

export interface TemplateFlow {
  /** Comes back with every request of this Flow, and with its completion. */
  readonly token: string;
  /** What the first screen shows, where the template opens one without asking the endpoint. */
  readonly data?: object | undefined;
  /** Which of the template's buttons, 0 to 9: 0 by default. */
  readonly index?: number | undefined;
}

export function templateMessage(recipient: Recipient, content: TemplateMessage, replyTo?: string): object {
  const { name, language, components = [], flow } = content;
  if (!Array.isArray(components)) throw new TypeError('components must be an array, as Meta takes them');
  const all = flow === undefined ? components : [...components, flowButton(flow)];
  const template = {
    name: required('name', name),
    language: { code: required('language', language) },
    ...(all.length > 0 && { components: all }),
  };
  return message(recipient, replyTo, { type: 'template', template });
}

/** Meta takes the index as text, and refuses data that is empty. */
function flowButton({ token, data, index = 0 }: TemplateFlow): object {
  wholeNumber('index', index, 0, 9);
  const hasData = data !== undefined && Object.keys(data).length > 0;
  const action = { flow_token: required('token', token), ...(hasData && { flow_action_data: data }) };
  return { type: 'button', sub_type: 'flow', index: `${index}`, parameters: [{ type: 'action', action }] };
}
