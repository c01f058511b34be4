/** `flowgate inbox`: looks into the inbox, and settles what was given up. Each command resolves with what to print. */
import { ITEM_ID, MAX_LISTED } from '../webhooks/admin.ts';
import type { Inbox, ItemState } from '../webhooks/inbox.ts';
import { adminUrlFromEnv, toAdminUrl } from './admin-port.ts';
import { CliError } from './cli-error.ts';
import { formatItem, formatItemCount, formatItems, formatJson, formatStats } from './format-inbox.ts';
import { connectInbox, type InboxAddress, type InboxClient } from './inbox-client.ts';

export interface InboxOptions {
  /** Of the admin port; by default that of the environment, or the store itself where no server listens there. */
  readonly url?: string;
  /** Print JSON. */
  readonly json?: boolean;
  readonly openInbox: () => Promise<Inbox>;
}

export interface ListOptions extends InboxOptions {
  readonly state: ItemState;
  readonly limit: number;
}

export interface SettleOptions extends InboxOptions {
  readonly all?: boolean;
}

export function stats(options: InboxOptions): Promise<string> {
  return withInbox(options, async (inbox) => {
    const report = await inbox.stats();
    return options.json ? formatJson(report) : formatStats(report);
  });
}

export function list({ state, limit, ...options }: ListOptions): Promise<string> {
  return withInbox(options, async (inbox) => {
    const items = await inbox.list(state, limit);
    if (options.json) return formatJson(items);
    const more = items.length === limit ? `\n  These are the newest ${limit}: --limit takes up to ${MAX_LISTED}.` : '';
    return formatItems(state, items, Date.now()) + more;
  });
}

export async function show(id: string, options: InboxOptions): Promise<string> {
  checkId(id);
  return withInbox(options, async (inbox) => {
    const item = await inbox.find(id);
    if (!item) throw new CliError(`the inbox has no item ${id}`);
    return options.json ? formatJson(item) : formatItem(item, Date.now());
  });
}

export function replay(id: string | undefined, options: SettleOptions): Promise<string> {
  return settle('replay', id, options);
}

export function purge(id: string | undefined, options: SettleOptions): Promise<string> {
  return settle('purge', id, options);
}

type Action = 'replay' | 'purge';

async function settle(action: Action, id: string | undefined, options: SettleOptions): Promise<string> {
  if (id === undefined && !options.all) {
    throw new CliError(`say which items: flowgate inbox ${action} <id>, or flowgate inbox ${action} --all`);
  }
  if (id !== undefined && options.all) throw new CliError('give an id or --all, not both');
  if (id !== undefined) checkId(id);
  return withInbox(options, async (inbox) => {
    const count = id === undefined ? await settleAll(inbox, action) : await inbox[action](id);
    if (id !== undefined && count === 0) throw new CliError(`${id} is no dead item: there is nothing to ${action}`);
    if (options.json) return formatJson({ count });
    if (count === 0) return `No item is dead: there is nothing to ${action}.`;
    return `${action === 'replay' ? 'Replayed' : 'Purged'} ${formatItemCount(count)}.`;
  });
}

/** 1,000 a call, but no more than are dead now: an item that fails again at once is not replayed forever. */
async function settleAll(inbox: InboxClient, action: Action): Promise<number> {
  const { dead } = await inbox.stats();
  let total = 0;
  while (total < dead) {
    const count = await inbox[action]();
    if (count === 0) break;
    total += count;
  }
  return total;
}

async function withInbox(options: InboxOptions, work: (inbox: InboxClient) => Promise<string>): Promise<string> {
  const inbox = await connectInbox(addressOf(options));
  try {
    return await work(inbox);
  } finally {
    await inbox.close();
  }
}

/** A server that was asked for by its address is the only one meant: the store of this machine may be another's. */
function addressOf({ url, openInbox }: InboxOptions): InboxAddress {
  return url === undefined ? { url: adminUrlFromEnv(), openInbox } : { url: toAdminUrl(url) };
}

function checkId(id: string): void {
  if (!ITEM_ID.test(id))
    throw new CliError(`${id} is no item id: it is evt_ or job_ and 32 hex digits, as list prints it`);
}
