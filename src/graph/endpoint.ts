/** Where the Graph API is, and as whom it is asked: options, checked before anything is sent. */
import { type Clock, systemClock } from '../clock.ts';

export const DEFAULT_GRAPH_URL = 'https://graph.facebook.com';
export const DEFAULT_GRAPH_VERSION = 'v25.0';

/** What can be a header. */
export const GRAPH_TOKEN = /^[!-~]+$/;
/** As Meta tells it, not the number itself. */
export const PHONE_NUMBER_ID = /^\d{1,32}$/;

export interface GraphConnection {
  /** `https://graph.facebook.com` by default. */
  readonly baseUrl?: string | undefined;
  /** `v25.0` by default. */
  readonly version?: string | undefined;
  /** Read at each call: as an accessor it may change. */
  readonly token: string;
  readonly fetch?: typeof fetch | undefined;
  readonly clock?: Clock | undefined;
}

export interface GraphEndpoint {
  /** With the version, without a slash at the end. */
  readonly url: string;
  readonly token: string;
  readonly fetch: typeof fetch;
  readonly clock: Clock;
}

/**
 * What is wrong is named and never shown: `fetch` would quote a token that cannot be a header.
 * @throws TypeError for options no call could work with.
 */
export function toEndpoint(connection: GraphConnection): GraphEndpoint {
  const { baseUrl = DEFAULT_GRAPH_URL, version = DEFAULT_GRAPH_VERSION, clock = systemClock } = connection;
  const base = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined;
  if (!base || !/^https?:$/.test(base.protocol) || base.username || base.password || base.search || base.hash) {
    throw new TypeError('baseUrl must be an http or https URL without user, query and fragment');
  }
  if (!/^v\d+\.\d+$/.test(version)) throw new TypeError('version must look like v25.0');
  if (!GRAPH_TOKEN.test(connection.token)) throw new TypeError('token must be printable ASCII without spaces');
  const url = `${base.href.replace(/\/+$/, '')}/${version}`;
  return {
    url,
    get token() {
      return connection.token;
    },
    clock,
    fetch: connection.fetch ?? ((input, init) => fetch(input, init)),
  };
}

/**
 * @param what it is the id of: "the number".
 * @throws TypeError for what would be another path. Does not show it.
 */
export function graphId(name: string, id: string, what: string): string {
  if (typeof id === 'string' && /^\d{1,40}$/.test(id)) return id;
  throw new TypeError(`${name} must be digits: the id of ${what}, from Meta`);
}
