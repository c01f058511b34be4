/**
 * An app served by Flowgate, as a bench measures it.
 *
 * Flowgate comes from dist/, as users run it: tsx would put a helper call into closures on the hot path.
 */
import { APP, type App } from '../../dist/app.js';
import { type Config, loadSettings, withOverrides } from '../../dist/config/settings.js';
import { type ServiceParts, startService } from '../../dist/service.js';

/** Everything else, the credentials first of all, comes from the environment; so may WORKERS and HTTP_SERVER. */
const SETTINGS = { HOST: '127.0.0.1', PORT: 0, ADMIN_HOST: '127.0.0.1', ADMIN_PORT: 0, LOG_LEVEL: 'error' };
const SERVER_NAMES = { uws: 'uWebSockets.js', node: 'node:http' };

export interface ServedApp {
  readonly ports: { readonly port: number; readonly adminPort: number };
  /** For a row's header. */
  readonly server: string;
  readonly config: Config;
}

/** @param role in place of the settings': `web` on the embedded store too, where no user can have it. */
export async function startApp(app: App, parts: ServiceParts = {}, role?: Config['role']): Promise<ServedApp> {
  const loaded = loadSettings(withOverrides(SETTINGS));
  const config = { ...loaded.config, ...(role && { role }) };
  const service = await startService(app[APP], { ...parts, settings: { ...loaded, config } });
  const ports = { port: portOf(service.url), adminPort: portOf(service.adminUrl) };
  return { ports, server: SERVER_NAMES[service.httpServer], config };
}

function portOf(url: string): number {
  return Number(new URL(url).port);
}
