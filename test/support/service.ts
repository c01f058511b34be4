import type { Logger } from 'pino';
import { APP, type App } from '../../src/app.ts';
import { systemClock } from '../../src/clock.ts';
import { loadSettings, type SettingOverrides, withOverrides } from '../../src/config/settings.ts';
import { type Service, type ServiceParts, startService } from '../../src/service.ts';
import { openSqliteInbox } from '../../src/stores/sqlite-inbox.ts';
import { openSqliteState } from '../../src/stores/sqlite-state.ts';
import { sealRequest, sign } from '../../src/testing/wire.ts';
import { keyPair } from './keys.ts';
import { silentLog } from './log.ts';

export const APP_SECRET = 'test app secret';
export const VERIFY_TOKEN = 'test verify token';

/** A real service on 127.0.0.1, ports of its own and its stores in memory, stopped at the end of its scope. */
export async function startTestService(
  app: App,
  settings: SettingOverrides = {},
  log: Logger = silentLog,
  parts: ServiceParts = {},
): Promise<Service & AsyncDisposable> {
  const own = {
    HOST: '127.0.0.1',
    PORT: 0,
    ADMIN_PORT: 0,
    WORKERS: 1,
    APP_SECRET,
    VERIFY_TOKEN,
    PRIVATE_KEY: keyPair.privateKey,
  };
  const loaded = loadSettings(withOverrides(settings, withOverrides(own, {})));
  const service = await startService(app[APP], {
    settings: loaded,
    clock: systemClock,
    log,
    openInbox: (options) => openSqliteInbox({ ...options, path: ':memory:' }),
    openState: (options) => openSqliteState({ ...options, path: ':memory:' }),
    ...parts,
  });
  return { ...service, [Symbol.asyncDispose]: () => service.close() };
}

export const seal = (payload: object | string) =>
  sealRequest(payload, { publicKeyPem: keyPair.publicKey, appSecret: APP_SECRET });

/** POSTs a body to a Flow, signed rightly unless the headers say otherwise. */
export async function post(url: string, body: string, headers?: Record<string, string>): Promise<Response> {
  const signed = { 'X-Hub-Signature-256': await sign(body, APP_SECRET) };
  return fetch(url, { method: 'POST', body, headers: { 'Content-Type': 'application/json', ...(headers ?? signed) } });
}
