/** What the inbox commands ask of an inbox: of a running server through its admin port, or of the store itself. */
import { FlowgateError } from '../errors.ts';
import { type Count, type InboxReport, reportOf } from '../webhooks/admin.ts';
import type { Inbox, ItemRecord, ItemState } from '../webhooks/inbox.ts';
import { askAdminPort, NothingListens } from './admin-port.ts';
import { CliError } from './cli-error.ts';

export interface InboxClient {
  stats(): Promise<InboxReport>;
  list(state: ItemState, limit: number): Promise<readonly ItemRecord[]>;
  find(id: string): Promise<ItemRecord | undefined>;
  /** @param id one item, or 1,000 of the dead ones. @returns how many. */
  replay(id?: string): Promise<number>;
  purge(id?: string): Promise<number>;
  close(): Promise<void>;
}

export interface InboxAddress {
  readonly url: string;
  /** Opens the store where nothing listens at `url`; absent when only that server will do. */
  readonly openInbox?: () => Promise<Inbox>;
}

/** Rejects with a CliError when neither answers. */
export async function connectInbox({ url, openInbox }: InboxAddress): Promise<InboxClient> {
  const client = serverInbox(url);
  try {
    await client.stats();
    return client;
  } catch (error) {
    if (!(error instanceof NothingListens) || !openInbox) throw error;
  }
  try {
    return storedInbox(await openInbox());
  } catch (error) {
    if (!(error instanceof FlowgateError)) throw error;
    throw new CliError(`no server answers at ${url}, and the inbox cannot be opened without one: ${error.message}`);
  }
}

export function storedInbox(inbox: Inbox): InboxClient {
  return {
    stats: () => reportOf(inbox),
    list: (state, limit) => inbox.list(state, limit),
    find: (id) => inbox.find(id),
    replay: (id) => inbox.replay(id),
    purge: (id) => inbox.purge(id),
    close: () => inbox.close(),
  };
}

/** @param url of the admin port, `http://127.0.0.1:9464`. */
export function serverInbox(url: string): InboxClient {
  const post = async (action: 'replay' | 'purge', id: string | undefined) => {
    const path = id === undefined ? `/inbox/${action}` : `/inbox/items/${id}/${action}`;
    return ((await ask(url, path, POST)) as Count).count;
  };
  return {
    stats: async () => (await ask(url, '/inbox')) as InboxReport,
    list: async (state, limit) => (await ask(url, `/inbox/items?state=${state}&limit=${limit}`)) as ItemRecord[],
    find: async (id) => (await ask(url, `/inbox/items/${id}`)) as ItemRecord | undefined,
    replay: (id) => post('replay', id),
    purge: (id) => post('purge', id),
    close: async () => {},
  };
}

const POST: RequestInit = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}' };

/** @returns what the server answers; undefined when it knows no such item. */
async function ask(url: string, path: string, request: RequestInit = {}): Promise<unknown> {
  const { status, body } = await askAdminPort(url, path, request);
  if (status === 200 && body !== undefined) return body;
  if (status === 404 && body !== undefined) return undefined;
  if (status === 404 || status === 200) {
    throw new CliError(`${url} has no inbox: give --url the admin port of a server that takes webhooks`);
  }
  const { error } = (body ?? {}) as { error?: string };
  throw new CliError(`${url} answered ${status}${error ? `: ${error}` : ''}`);
}
