/** Parts of a service that are broken while somebody says so. */
import { DecryptPool, type DecryptPoolOptions } from '../../../src/crypto/decrypt-pool.ts';
import { FlowgateError } from '../../../src/errors.ts';
import type { HostParts } from '../../../src/host-parts.ts';
import type { StateStore } from '../../../src/state/state-store.ts';
import type { OpenInboxOptions } from '../../../src/stores/open-inbox.ts';
import type { OpenStateOptions } from '../../../src/stores/open-state.ts';
import { openSqliteInbox } from '../../../src/stores/sqlite-inbox.ts';
import { openSqliteState } from '../../../src/stores/sqlite-state.ts';

/** What is broken at the moment. */
export interface Trouble {
  isSaturated: boolean;
  isStoreDown: boolean;
  isStateDown: boolean;
}

/** Its stores are in memory. */
export const partsIn = (trouble: Trouble): HostParts => ({
  startDecryption: (options) => startPool(options, trouble),
  openInbox: (options) => openInbox(options, trouble),
  openState: (options) => openState(options, trouble),
});

async function startPool(options: DecryptPoolOptions, trouble: Trouble): Promise<DecryptPool> {
  const pool = await DecryptPool.start(options);
  return Object.defineProperty(pool, 'isSaturated', { get: () => trouble.isSaturated });
}

async function openInbox(options: OpenInboxOptions, trouble: Trouble) {
  const inbox = await openSqliteInbox({ ...options, path: ':memory:' });
  const append = inbox.append.bind(inbox);
  inbox.append = async (items) => {
    if (trouble.isStoreDown) throw new FlowgateError('INBOX_UNAVAILABLE', 'told so');
    return append(items);
  };
  return inbox;
}

async function openState(options: OpenStateOptions, trouble: Trouble): Promise<StateStore> {
  const state = await openSqliteState({ ...options, path: ':memory:' });
  const put = state.put.bind(state);
  state.put = async (key, write) => {
    if (trouble.isStateDown) throw new FlowgateError('STATE_UNAVAILABLE', 'told so');
    return put(key, write);
  };
  return state;
}
