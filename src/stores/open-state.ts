/** Opens the state store that the settings name: Redis where there is one, else the file beside the inbox's. */
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import type { StateStore } from '../state/state-store.ts';
import { openSqliteState } from './sqlite-state.ts';

export interface OpenStateOptions {
  readonly redisUrl: string | undefined;
  readonly dataDir: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Rejects with `INBOX_LOCKED` or `INBOX_OPEN_FAILED`. A Redis that does not answer is told of by each call, not here. */
export async function openState({ redisUrl, dataDir, ...options }: OpenStateOptions): Promise<StateStore> {
  if (redisUrl === undefined) return openSqliteState({ path: join(dataDir, 'state.db'), ...options });
  const { openRedisState } = await import('./redis-state.ts');
  return openRedisState({ url: redisUrl, ...options });
}
