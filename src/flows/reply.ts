/** What a handler returns, and how it looks on the wire before it is sealed. */

/** Made by the context (`c.screen`, `c.error`, `c.complete`, `c.expire`) and by nothing else. */
export interface FlowReply {
  /** A registered symbol: an app may load another copy of this package than the command that serves it. */
  readonly [FLOW_REPLY]: true;
  readonly content: ReplyContent;
}

export const FLOW_REPLY: unique symbol = Symbol.for('flowgate.flow-reply') as never;

export type ReplyContent =
  | { readonly kind: 'screen'; readonly screen: string; readonly data: object; readonly errorMessage?: string }
  | { readonly kind: 'complete'; readonly params: object }
  | { readonly kind: 'expire'; readonly message: string };

/** Among the parameters of a completion, for Flows with a `.completed` handler: the Flow's name. */
export const FLOW_MARK = 'flowgate_flow';

/** The one reserved screen name: it ends the Flow. */
export const SUCCESS = 'SUCCESS';

/** A reply as plaintext, with the status it goes out under. */
export interface RenderedReply {
  readonly status: 200 | 427;
  readonly text: string;
}

/** The same, with what it is for the user. */
export interface RenderedAnswer extends RenderedReply {
  /** `error` shows a screen with a message, and may be answered otherwise the next time. */
  readonly kind: ReplyContent['kind'] | 'error';
  /** What `text` shows, unless it ends the Flow. */
  readonly shown?: ShownScreen;
}

export interface ShownScreen {
  readonly screen: string;
  readonly data: object;
}

export function flowReply(content: ReplyContent): FlowReply {
  return { [FLOW_REPLY]: true, content };
}

export function isFlowReply(value: unknown): value is FlowReply {
  return typeof value === 'object' && value !== null && FLOW_REPLY in value;
}

export interface Rendering {
  /** Data the screen always needs; the reply's own data wins. */
  readonly base: object | undefined;
  /** Goes back in a completion, where it is required; a client that sent none gets `"unused"`, Meta's default. */
  readonly token: string | undefined;
  /** The Flow whose `.completed` handler waits for this completion's webhook. */
  readonly completedFlow: string | undefined;
}

export function renderReply({ content }: FlowReply, { base, token, completedFlow }: Rendering): RenderedAnswer {
  switch (content.kind) {
    case 'screen': {
      const { screen, errorMessage } = content;
      const data = { ...base, ...content.data, ...(errorMessage !== undefined && { error_message: errorMessage }) };
      const kind = errorMessage === undefined ? 'screen' : 'error';
      return { status: 200, kind, text: JSON.stringify({ screen, data }), shown: { screen, data } };
    }
    case 'complete': {
      const mark = completedFlow !== undefined && { [FLOW_MARK]: completedFlow };
      const params = { ...content.params, ...mark, flow_token: token ?? 'unused' };
      const text = JSON.stringify({ screen: SUCCESS, data: { extension_message_response: { params } } });
      return { status: 200, kind: 'complete', text };
    }
    case 'expire':
      return expiredReply(content.message);
  }
}

/** The flow token is dead: the message's button is disabled, and the user reads `message`. */
export function expiredReply(message: string): RenderedAnswer {
  return { status: 427, kind: 'expire', text: JSON.stringify({ error_msg: message }) };
}
