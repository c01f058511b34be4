/** The Graph API clients of a service: one for each number and whose token it is, made when first asked for. */
import type { Clock } from '../clock.ts';
import type { GraphSettings } from '../config/settings.ts';
import { setLast } from '../last-used.ts';
import { createGraphClient, type GraphClient, type GraphOptions } from './client.ts';
import type { RetryOptions } from './retry.ts';
import type { PaceOptions } from './turns.ts';

/** Whose token it is that sends, in place of the settings'. */
export interface GraphAccount {
  /** Stays the same while the token changes. */
  readonly owner: string;
  readonly token: string;
}

/**
 * The Graph API as one business number.
 *
 * @param phoneNumberId without one, that of the settings: to be given with an account.
 * @param account without one, the settings' token.
 */
export type GraphFor = (phoneNumberId?: string, account?: GraphAccount) => GraphClient;

/** Which number an event names is the word of whoever signed it: of more than these, those used last are kept. */
const MAX_NUMBERS = 1_000;

/**
 * All who send from one number with one owner's token share its client, and so its pace. Of two owners each has its own:
 * an event can name any number, and must not use up the turns of somebody else's.
 *
 * @param settings without a token: only accounts can send.
 * @returns a function that throws a TypeError telling which setting is missing.
 */
export function createGraph(settings: GraphSettings, clock: Clock, limits: RetryOptions & PaceOptions = {}): GraphFor {
  const lines = new Map<string, Line>();
  return (phoneNumberId, account) => {
    const token = account?.token ?? settings.token;
    const number = phoneNumberId ?? settings.phoneNumberId;
    if (token === undefined) throw new TypeError('GRAPH_TOKEN is not set: without it nothing can be sent');
    if (number === undefined) throw new TypeError('PHONE_NUMBER_ID is not set: there is no number to send from');
    const key = `${account?.owner ?? ''}/${number}`;
    const line = lines.get(key) ?? new Line({ ...limits, ...settings, token, phoneNumberId: number, clock });
    line.token = token;
    setLast(lines, key, line, MAX_NUMBERS);
    return line.client;
  };
}

/** A client that outlasts its token: with a new one it goes on at the pace it had, and so does what waits for its turn. */
class Line {
  token: string;
  readonly client: GraphClient;

  constructor({ token, ...options }: GraphOptions) {
    this.token = token;
    const tokenOfNow = () => this.token;
    this.client = createGraphClient({
      ...options,
      get token() {
        return tokenOfNow();
      },
    });
  }
}
