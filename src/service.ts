/** A running server: the host behind its listeners. */

import { type Clock, systemClock } from './clock.ts';
import { type Config, loadSettings, type Settings, withOverrides } from './config/settings.ts';
import { openHost } from './host.ts';
import type { AppDefinition, HostParts } from './host-parts.ts';
import { type Certificate, loadCertificate } from './http/certificate.ts';
import { CertificateRenewal, describeCertificate } from './http/certificate-renewal.ts';
import { createHttpServer } from './http/create-server.ts';
import { createNodeServer } from './http/node.ts';
import type { HttpServer, HttpServerName } from './http/server.ts';
import { createLog } from './log.ts';

/** How long past the Flow deadline an exchange may last: the fallback's time and some. Still inside Meta's 10 s. */
const EXCHANGE_MARGIN_MS = 1_000;
const CLOSE_GRACE_MS = 10_000;

export type ServiceParts = HostParts;

export interface Service {
  /** `http://host:port`, `https:` with TLS, with the port in use; the admin URL for a worker, which serves nothing else. */
  readonly url: string;
  readonly adminUrl: string;
  readonly httpServer: HttpServerName;
  /** Loads certificate and private keys anew; resolves when they serve, or when the log says why they cannot. */
  reload(): Promise<void>;
  /** Answers what is in flight, lets running handlers finish, then closes everything. */
  close(): Promise<void>;
}

/** Rejects as `openHost` does, or with `CERTIFICATE_INVALID` or `LISTEN_FAILED`. */
export async function startService(app: AppDefinition, parts: ServiceParts = {}): Promise<Service> {
  const settings = parts.settings ?? loadSettings(withOverrides(app.settings));
  const { config } = settings;
  const { clock = systemClock, log = createLog(config.logLevel) } = parts;
  const certificate = readCertificate(config, clock);
  const host = await openHost(app, { ...parts, settings, clock, log });
  const { metrics } = host;
  const exchange = { clock, log, exchangeTimeoutMs: config.flowDeadlineMs + EXCHANGE_MARGIN_MS };
  const admin = createNodeServer({ ...exchange, handler: host.adminHandler });
  let server: HttpServer | undefined;
  let renewal: CertificateRenewal | undefined;
  const close = async () => {
    host.drain();
    renewal?.close();
    await Promise.all([server?.close(CLOSE_GRACE_MS), host.stopWorkers(CLOSE_GRACE_MS)]);
    await admin.close(CLOSE_GRACE_MS);
    await host.close();
  };
  try {
    if (config.role !== 'worker') {
      server = createHttpServer(config.httpServer, { ...exchange, handler: host.handler, tls: certificate });
      metrics.httpServer(server.name, config.httpServer !== 'node' && server.name === 'node');
    }
    const adminPort = await admin.listen({ host: config.adminHost, port: config.adminPort });
    const port = await server?.listen({ host: config.host, port: config.port });
    const what = { ...describe(app, settings, certificate), server: server?.name, port, adminPort };
    log.info(what, 'flowgate is listening');
    if (server && certificate) renewal = new CertificateRenewal({ server, certificate, clock, log, metrics });
    const adminUrl = urlOf('http', config.adminHost, adminPort);
    const url = port === undefined ? adminUrl : urlOf(certificate ? 'https' : 'http', config.host, port);
    const reload = async () => {
      renewal?.reload();
      await host.keys?.reload();
    };
    return { url, adminUrl, httpServer: (server ?? admin).name, reload, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Before anything else is opened: this is what most often stops a start. */
function readCertificate({ role, tls }: Config, clock: Clock): Certificate | undefined {
  return tls && role !== 'worker' ? loadCertificate(tls.certFile, tls.keyFile, clock.epochMs()) : undefined;
}

function describe(
  { flows }: AppDefinition,
  { config, secrets, redisUrl }: Settings,
  certificate: Certificate | undefined,
) {
  const { role, workers } = config;
  const inbox = redisUrl === undefined ? 'sqlite' : 'redis';
  const keys = secrets?.keys.map(({ fingerprint }) => fingerprint);
  const tls = certificate && describeCertificate(certificate);
  return { role, inbox, workers, flows: [...flows.keys()], keys, tls };
}

/** Where this machine reaches what listens on `host`. */
export function urlOf(scheme: 'http' | 'https', host: string, port: number): string {
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `${scheme}://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}
