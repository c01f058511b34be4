/** How the stand-in for the Graph API says no: in Meta's format, with codes that mean at Meta what they mean here. */
import type { JsonObject } from '../../json.ts';

export class GraphRefusal extends Error {
  override readonly name = 'GraphRefusal';
  readonly status: number;
  readonly code: number;
  readonly subcode: number | undefined;

  /** @param details one sentence for the developer; quotes nothing of what was sent. */
  constructor(status: number, code: number, details: string, subcode?: number) {
    super(details);
    this.status = status;
    this.code = code;
    this.subcode = subcode;
  }
}

export function missing(name: string): GraphRefusal {
  return new GraphRefusal(400, 131008, `${name} is required`);
}

export function invalid(name: string, must: string): GraphRefusal {
  return new GraphRefusal(400, 131009, `${name} must be ${must}`);
}

export function wrongToken(): GraphRefusal {
  return new GraphRefusal(401, 190, 'this is not the access token of the playground');
}

export function unknownPath(): GraphRefusal {
  return new GraphRefusal(404, 2500, 'the playground answers messages, media and nothing else of the Graph API');
}

export function unknownMedia(): GraphRefusal {
  return new GraphRefusal(400, 100, 'there is no media of this id', 33);
}

export function tooLarge(what: string): GraphRefusal {
  return new GraphRefusal(413, 100, `${what} is too large`);
}

export function busy(): GraphRefusal {
  return new GraphRefusal(503, 2, 'too much is being uploaded at once');
}

export function toMetaError({ code, subcode, message }: GraphRefusal, traceId: string): JsonObject {
  return {
    error: {
      message: `(#${code}) ${message}`,
      type: 'OAuthException',
      code,
      ...(subcode !== undefined && { error_subcode: subcode }),
      error_data: { messaging_product: 'whatsapp', details: message },
      fbtrace_id: traceId,
    },
  };
}
