/**
 * The playground's server for tests of the page alone: serves the built page under its real policy, and fakes the API.
 *
 * It really decrypts and seals, with node:crypto, and shares no line with the page's WebCrypto. What the endpoint answers is
 * a script: a function of the decrypted request.
 */
import {
  constants,
  createCipheriv,
  createDecipheriv,
  createHash,
  generateKeyPairSync,
  type KeyObject,
  privateDecrypt,
  randomBytes,
} from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import type { JsonObject, JsonValue } from '../../../src/json.ts';
import type {
  AppReport,
  ExchangeReport,
  FlowReport,
  InboxItem,
  StageTime,
  WebhookRequest,
} from '../../../src/playground/api.ts';
import type { Sent, SentReport } from '../../../src/playground/sent.ts';

export interface FakeAnswer {
  readonly status?: number;
  /** Sealed as it is; nothing for an empty body. */
  readonly payload?: JsonValue;
  /** Sent in place of what would be sealed. */
  readonly rawBody?: string;
  readonly report?: Partial<ExchangeReport>;
  /** Held back until it resolves. */
  readonly after?: Promise<void> | undefined;
}

export type FakeEndpoint = (request: JsonObject, flow: string) => FakeAnswer;

export interface FakeServer extends AsyncDisposable {
  readonly url: string;
  /** Decrypted, in the order they came. */
  readonly requests: JsonObject[];
  readonly webhooks: WebhookRequest[];
  /** Paths of the POSTs to the admin's own routes. */
  readonly adminCalls: string[];
  app: AppReport;
  endpoint: FakeEndpoint;
  inbox: InboxItem[];
  /** What handlers sent. */
  sent: Sent[];
  webhookStatus: number;
  /** Every call of the page is refused, as by a server that restarts. */
  isDown: boolean;
}

export const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'";
const PAGE = new URL('../../../dist/playground/', import.meta.url);
const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript',
  css: 'text/css',
  svg: 'image/svg+xml',
};

const current = keyPair();
const retired = keyPair();

function keyPair(): { publicKey: string; privateKey: KeyObject } {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { publicKey: publicKey.export({ type: 'spki', format: 'pem' }) as string, privateKey };
}

export async function startFakeServer(flows: readonly FlowReport[], endpoint: FakeEndpoint): Promise<FakeServer> {
  const server = createServer((request, response) => {
    answer(fake, request, response).catch((error: Error) => send(response, 500, { error: error.message }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const fake: FakeServer = {
    url,
    requests: [],
    webhooks: [],
    adminCalls: [],
    app: { bootId: 'first', publicUrl: 'http://127.0.0.1:3000', flows, sendsToPhone: true },
    sent: [],
    endpoint,
    inbox: [],
    webhookStatus: 200,
    isDown: false,
    [Symbol.asyncDispose]: () => close(server),
  };
  return fake;
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
}

async function answer(fake: FakeServer, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, search } = new URL(request.url ?? '/', fake.url);
  if (fake.isDown) {
    response.destroy();
    return;
  }
  if (pathname.startsWith('/playground/api/')) {
    await answerApi(fake, pathname.slice('/playground/api/'.length), search, request, response);
  } else if (pathname.startsWith('/inbox/items/') && request.method === 'POST') {
    if (request.headers['content-type'] !== 'application/json') return send(response, 415, { error: 'not JSON' });
    fake.adminCalls.push(pathname);
    send(response, 200, { count: 1 });
  } else await servePage(pathname, response);
}

async function servePage(pathname: string, response: ServerResponse): Promise<void> {
  const name = pathname.replace('/playground/', '') || 'index.html';
  const type = TYPES[name.split('.').at(-1) ?? ''];
  const body = type && !name.includes('..') ? await readFile(new URL(name, PAGE)).catch(() => undefined) : undefined;
  const headers = { 'Content-Type': type ?? 'text/plain', 'Content-Security-Policy': POLICY };
  response.writeHead(body ? 200 : 404, headers).end(body);
}

async function answerApi(
  fake: FakeServer,
  path: string,
  search: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const isPost = request.method === 'POST';
  if (isPost && request.headers['x-playground'] !== '1') return send(response, 403, { error: 'no X-Playground' });
  if (path === 'app') return send(response, 200, fake.app);
  if (path === 'public-key')
    return send(response, 200, { pem: (search.includes('retired') ? retired : current).publicKey });
  if (path === 'sent') {
    const after = Number(new URLSearchParams(search).get('after'));
    const sent = fake.sent.filter(({ seq }) => seq > after);
    return send(response, 200, { bootId: fake.app.bootId, nowMs: Date.now(), sent } satisfies SentReport);
  }
  if (path === 'inbox') return send(response, 200, { items: fake.inbox });
  if (path.startsWith('exchange/')) {
    return send(response, 200, await exchange(fake, decodeURIComponent(path.slice(9)), await text(request)));
  }
  if (path === 'token') {
    const { flow, user } = JSON.parse(await text(request)) as { flow: string; user: string };
    return send(response, 200, { token: `${flow}:${Buffer.from(user.padEnd(24, '.')).toString('base64url')}` });
  }
  if (path === 'token-signature') return send(response, 200, { signature: 'e30.e30.c2ln' });
  if (path === 'webhook') return send(response, 200, deliver(fake, JSON.parse(await text(request)) as WebhookRequest));
  if (path === 'media') return send(response, 200, media(search, await buffer(request)));
  send(response, 404, { error: `no ${path}` });
}

function deliver(fake: FakeServer, webhook: WebhookRequest) {
  fake.webhooks.push(webhook);
  const body = JSON.stringify({ object: 'whatsapp_business_account', entry: [{ changes: [{ value: webhook }] }] });
  const messageId = `wamid.person${fake.webhooks.length}`;
  return { status: fake.webhookStatus, tookMs: 12.3, body, messageId, items: fake.inbox.map(({ id }) => id) };
}

function media(search: string, bytes: Buffer): JsonObject {
  const hash = createHash('sha256').update(bytes).digest('base64');
  return {
    media_id: createHash('md5').update(bytes).digest('hex'),
    cdn_url: 'http://127.0.0.1:1/file',
    file_name: new URLSearchParams(search).get('name') ?? '',
    encryption_metadata: {
      encrypted_hash: hash,
      iv: 'aXY=',
      encryption_key: 'a2V5',
      hmac_key: 'aG1hYw==',
      plaintext_hash: hash,
    },
  };
}

async function exchange(fake: FakeServer, flow: string, body: string): Promise<ExchangeReport> {
  const opened = open(body);
  const base = { contentType: 'text/plain', tookMs: 9.5, requestBytes: Buffer.byteLength(body), stages: STAGES };
  if (!opened) return { ...base, status: 421, body: '', responseBytes: 0, outcome: 'decryption_failed' };
  fake.requests.push(opened.request);
  const { status = 200, payload, rawBody, report, after } = fake.endpoint(opened.request, flow);
  await after;
  const sealed = rawBody ?? (payload === undefined ? '' : opened.seal(JSON.stringify(payload)));
  return { ...base, status, body: sealed, responseBytes: sealed.length, outcome: 'ok', ...report };
}

const STAGES: readonly StageTime[] = [
  { stage: 'queue', startMs: 0.3, durationMs: 0.2 },
  { stage: 'rsa', startMs: 0.5, durationMs: 1.1 },
  { stage: 'handler', startMs: 1.7, durationMs: 5.2 },
  { stage: 'guard', startMs: 6.9, durationMs: 0.1 },
  { stage: 'seal', startMs: 7, durationMs: 0.2 },
];

/** @returns undefined when it was not sealed for the current key. */
export function open(body: string): { request: JsonObject; seal(plaintext: string): string } | undefined {
  const envelope = JSON.parse(body) as Record<string, string>;
  const [data, wrappedKey, iv] = ['encrypted_flow_data', 'encrypted_aes_key', 'initial_vector'].map((name) =>
    Buffer.from(envelope[name] ?? '', 'base64'),
  ) as [Buffer, Buffer, Buffer];
  try {
    const padding = constants.RSA_PKCS1_OAEP_PADDING;
    const key = privateDecrypt({ key: current.privateKey, padding, oaepHash: 'sha256' }, wrappedKey);
    const decipher = createDecipheriv('aes-128-gcm', key, iv, { authTagLength: 16 });
    decipher.setAuthTag(data.subarray(-16));
    const plaintext = Buffer.concat([decipher.update(data.subarray(0, -16)), decipher.final()]);
    return { request: JSON.parse(plaintext.toString()) as JsonObject, seal: (answer) => seal(answer, key, iv) };
  } catch {
    return undefined;
  }
}

export const currentPublicKey: string = current.publicKey;
export const retiredPublicKey: string = retired.publicKey;

function seal(plaintext: string, key: Buffer, iv: Buffer): string {
  const inverted = Buffer.from(iv.map((byte) => byte ^ 0xff));
  const cipher = createCipheriv('aes-128-gcm', key, inverted, { authTagLength: 16 });
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]).toString('base64');
}

function send(response: ServerResponse, status: number, value: object): void {
  response
    .writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' })
    .end(JSON.stringify(value));
}

export function randomId(kind: 'evt' | 'job'): string {
  return `${kind}_${randomBytes(16).toString('hex')}`;
}
