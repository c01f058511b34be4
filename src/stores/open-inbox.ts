/** Opens the inbox that the settings name: Redis where there is one, else the file under the data directory. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { type Clock, systemClock } from '../clock.ts';
import { inboxFromEnv } from '../config/command-settings.ts';
import { FlowgateError } from '../errors.ts';
import { createLog } from '../log.ts';
import type { Inbox } from '../webhooks/inbox.ts';
import { openSqliteInbox } from './sqlite-inbox.ts';

/** A command does not wait for a server that has the file: it is told so at once. */
const COMMAND_LOCK_WAIT_MS = 200;

export interface OpenInboxOptions {
  readonly redisUrl: string | undefined;
  readonly dataDir: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onCommit?: (calls: number, busyMs: number) => void;
}

/** BullMQ is loaded only where there is a Redis to speak to. */
async function openRedis(options: { url: string; clock: Clock; log: Logger }): Promise<Inbox> {
  return (await import('./redis-inbox.ts')).openRedisInbox(options);
}

/** Rejects with `INBOX_LOCKED` or `INBOX_OPEN_FAILED`. A Redis that does not answer is waited for, later, not here. */
export function openInbox({ redisUrl, dataDir, ...options }: OpenInboxOptions): Promise<Inbox> {
  if (redisUrl !== undefined) return openRedis({ url: redisUrl, ...options });
  return openSqliteInbox({ path: inboxFileIn(dataDir), ...options });
}

/** For a command that finds no server to ask. Rejects as `openInbox` does, or with `INBOX_UNAVAILABLE` when there is none. */
export async function openInboxFromEnv(env: NodeJS.ProcessEnv = process.env): Promise<Inbox> {
  const { redisUrl, dataDir } = inboxFromEnv(env);
  const options = { clock: systemClock, log: createLog('silent') };
  if (redisUrl !== undefined) return openRedis({ url: redisUrl, ...options });
  const path = inboxFileIn(dataDir);
  if (!existsSync(path)) throw new FlowgateError('INBOX_UNAVAILABLE', `there is no inbox at ${path}`);
  return openSqliteInbox({ path, lockWaitMs: COMMAND_LOCK_WAIT_MS, ...options });
}

export function inboxFileIn(dataDir: string): string {
  return join(dataDir, 'inbox.db');
}
