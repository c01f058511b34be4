/** `flowgate serve`: runs an app until it is told to stop. */
import { APP } from '../app.ts';
import { loadSettings, withOverrides } from '../config/settings.ts';
import { startService } from '../service.ts';
import { loadApp } from './load-app.ts';

export interface ServeOptions {
  readonly port?: string;
  readonly host?: string;
  readonly role?: string;
  /** Set by `flowgate dev`: runs under `tsx watch`, and prints where each Flow is served. */
  readonly underDev?: boolean;
}

/** Resolves when the service has stopped after SIGTERM or SIGINT; a second signal ends the process at once. */
export async function serve(file: string, { port, host, role, underDev = false }: ServeOptions): Promise<void> {
  const app = (await loadApp(file, { isTsxLoaded: underDev }))[APP];
  const flags = { ...(port && { PORT: port }), ...(host && { HOST: host }), ...(role && { ROLE: role }) };
  const overrides = { ...app.settings, ...flags };
  const service = await startService(app, { settings: loadSettings(withOverrides(overrides)) });
  if (underDev) {
    for (const flow of app.flows.keys()) console.log(`  flowgate phone ${service.url}/flows/${flow}`);
    console.log(`  metrics  ${service.adminUrl}/metrics\n`);
  }
  // A terminal that closes sends SIGHUP too: what was started for development should then end.
  if (!underDev) process.on('SIGHUP', () => void service.reload());
  await stopSignal();
  await service.close();
}

function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => {
        process.once(signal, () => process.exit(1));
        resolve();
      });
    }
  });
}
