/** Flow tokens that this server minted: `booking:` and 32 characters of base64url, 192 bits at random. */
import { isObject } from '../json.ts';

const RANDOM_BYTES = 24;
const SECRET = /^[A-Za-z0-9_-]{32}$/;

/** @param randomBytes of `node:crypto`: what it gives must be unguessable. */
export function newToken(flow: string, randomBytes: (size: number) => Buffer): string {
  return `${flow}:${randomBytes(RANDOM_BYTES).toString('base64url')}`;
}

export function looksMinted(flow: string, token: string): boolean {
  return token.startsWith(`${flow}:`) && SECRET.test(token.slice(flow.length + 1));
}

/** What is kept of a token, under its hash. */
export interface TokenRecord {
  readonly user: string;
  readonly singleUse: boolean;
  /** The submit that completed the Flow, of a single-use token. */
  readonly used?: TokenUse;
}

export interface TokenUse {
  /** Of its action, screen and data. */
  readonly submit: string;
  /** What was answered; left out where that was too long. */
  readonly text?: string;
}

/** @returns undefined for what this server did not write: such a token is as good as unknown. */
export function parseTokenRecord(text: string): TokenRecord | undefined {
  try {
    const record: unknown = JSON.parse(text);
    return isObject(record) && typeof record['user'] === 'string' ? (record as unknown as TokenRecord) : undefined;
  } catch {
    return undefined; // the error's message would quote the text
  }
}
