/** TLS on a running service: what is served, and what happens when its files change. */
import { once } from 'node:events';
import { symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { TLSSocket } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { readMetrics } from '../../src/cli/read-metrics.ts';
import { createApp } from '../../src/index.ts';
import { TestAuthority } from '../support/certificates.ts';
import { RunningCommand, temporaryDirectory } from '../support/command.ts';
import { eventually } from '../support/eventually.ts';
import { httpServers } from '../support/http-servers.ts';
import { keyPair } from '../support/keys.ts';
import { recordingLog } from '../support/log.ts';
import { seal, startTestService } from '../support/service.ts';

const authority = new TestAuthority();
const EXPIRY = 'flowgate_tls_certificate_expiry_timestamp_seconds';

const app = () => {
  const started = createApp();
  started.flow('hello').init((c) => c.screen('WELCOME', {}));
  return started;
};

async function serve(settings: Record<string, string>) {
  const { log, lines } = recordingLog();
  const service = await startTestService(app(), settings, log);
  const expiry = async () => (await readMetrics(service.adminUrl)).get(EXPIRY);
  return { ...service, lines, expiry };
}

const settingsFor = ({ certFile, keyFile }: { certFile: string; keyFile: string }) => ({
  TLS_CERT_FILE: certFile,
  TLS_KEY_FILE: keyFile,
});

/** Over a connection of its own, trusting nobody but the authority. */
async function ask(url: string, { body = '', headers = {} }: { body?: string; headers?: object } = {}) {
  const options = { ca: authority.ca, agent: false, method: body === '' ? 'GET' : 'POST', headers: { ...headers } };
  const sent = request(url, options).end(body);
  const [response] = await once(sent, 'response');
  const name = String((response.socket as TLSSocket).getPeerCertificate().subject.CN);
  return { status: Number(response.statusCode), name, text: await text(response) };
}

const nameServed = async (url: string) => (await ask(`${url}/healthz`)).name;

describe.each(httpServers)('a service with TLS on %s', (httpServer) => {
  test('answers Flows over HTTPS, and metrics on the admin port over HTTP', async () => {
    const files = authority.write('flows.example.com');
    await using service = await serve({ HTTP_SERVER: httpServer, ...settingsFor(files) });
    expect(service).toMatchObject({ url: expect.stringMatching(/^https:/), adminUrl: expect.stringMatching(/^http:/) });
    const { body, signature, openReply } = await seal({ version: '3.0', action: 'INIT', flow_token: 't' });
    const headers = { 'X-Hub-Signature-256': signature };
    const answer = await ask(`${service.url}/flows/hello`, { body, headers });
    expect(answer).toMatchObject({ status: 200, name: 'flows.example.com' });
    expect(JSON.parse(await openReply(answer.text))).toMatchObject({ screen: 'WELCOME' });
    expect(await service.expiry()).toBeCloseTo(Date.now() / 1000 + 30 * 86_400, -3);
    expect(service.lines).toMatchObject([
      { msg: 'flowgate is listening', tls: { subject: 'flows.example.com', issuer: 'Test Intermediate' } },
    ]);
  });

  test('serves a renewed certificate, and keeps it when the next one is broken', async () => {
    const files = authority.write('one');
    await using service = await serve({ HTTP_SERVER: httpServer, ...settingsFor(files) });
    authority.write('two', dirname(files.certFile));
    await eventually(async () => expect(await nameServed(service.url)).toBe('two'));
    const expiry = await service.expiry();
    writeFileSync(files.certFile, 'half a certif');
    await eventually(() => expect(service.lines.at(-1)).toMatchObject({ code: 'CERTIFICATE_INVALID', subject: 'two' }));
    expect(await nameServed(service.url)).toBe('two');
    expect(await service.expiry()).toBe(expiry);
    authority.write('three', dirname(files.certFile));
    await service.reload();
    await eventually(async () => expect(await nameServed(service.url)).toBe('three'));
  });
});

test('a service does not start with a certificate that Meta would refuse', async () => {
  const { certFile, keyFile } = authority.write('flows.example.com');
  writeFileSync(certFile, authority.root.certificate);
  await expect(serve(settingsFor({ certFile, keyFile }))).rejects.toMatchObject({ code: 'CERTIFICATE_INVALID' });
});

test('a service without TLS exports no expiry', async () => {
  await using service = await serve({});
  expect(service.url).toMatch(/^http:/);
  expect(await service.expiry()).toBeUndefined();
});

function serveCommand(files: { certFile: string; keyFile: string }): RunningCommand {
  return new RunningCommand(['serve', 'examples/booking/app.ts'], {
    ...settingsFor(files),
    ...{ HOST: '127.0.0.1', PORT: '0', ADMIN_PORT: '0', WORKERS: '1' },
    ...{ APP_SECRET: 'secret', VERIFY_TOKEN: 'token', PRIVATE_KEY: keyPair.privateKey },
  });
}

test('SIGHUP makes flowgate serve look at once: here, at files whose changes no event tells of', async () => {
  const files = authority.write('one');
  const directory = temporaryDirectory();
  const [certFile, keyFile] = [join(directory, 'link.crt'), join(directory, 'link.key')];
  symlinkSync(files.certFile, certFile);
  symlinkSync(files.keyFile, keyFile);
  const command = serveCommand({ certFile, keyFile });
  const [, port] = await command.printed(/"port":(\d+).*flowgate is listening/);
  expect(await nameServed(`https://127.0.0.1:${port}`)).toBe('one');
  authority.write('two', dirname(files.certFile));
  command.process.kill('SIGHUP');
  await command.printed(/"subject":"two".*another certificate is served now/);
  await eventually(async () => expect(await nameServed(`https://127.0.0.1:${port}`)).toBe('two'));
  command.process.kill('SIGTERM');
  expect(await command.ended).toMatchObject({ code: 0, stderr: '' });
});

test('a command that cannot start for its certificate says so in one sentence', async () => {
  const { certFile, keyFile } = authority.write('flows.example.com');
  writeFileSync(certFile, authority.root.certificate);
  const { code, stderr } = await serveCommand({ certFile, keyFile }).ended;
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: 'flowgate: TLS_KEY_FILE is not the key of the certificate in TLS_CERT_FILE (Test Root)\n',
  });
});
