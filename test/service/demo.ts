/** A real service with one small Flow, `demo`: each of its screens is one way in which an app can behave. */
import { once } from 'node:events';
import type { HttpServerName } from '../../src/http/server.ts';
import { type App, createApp, type JsonObject, type SettingOverrides } from '../../src/index.ts';
import { type Envelope, type SealedRequest, sealRequest } from '../../src/testing/wire.ts';
import { keyPair } from '../support/keys.ts';
import { type LogLine, recordingLog } from '../support/log.ts';
import { RawClient, type RawResponse, requestText, Tally } from '../support/raw-http.ts';
import { APP_SECRET, post, startTestService } from '../support/service.ts';

export const DEAD_TOKEN = 'a token of yesterday';
/** In the message of what the screen `THROW` throws, and nowhere else. */
export const SECRET_IN_ERROR = 'card 4111';

export type Field = keyof Envelope;

export interface DemoReply {
  readonly status: number;
  /** As it came over the wire. */
  readonly body: string;
  /** What the body decrypts to; undefined for an empty one. */
  readonly payload: unknown;
}

export class Demo implements AsyncDisposable {
  /** Of the Flow. */
  readonly url: string;
  readonly adminUrl: string;
  readonly port: number;
  readonly lines: LogLine[];
  /** What the handler of `ECHO` was given, each time it ran. */
  readonly echoed: readonly JsonObject[];
  /** Handlers of `WAIT` that began, and those whose signal fired. */
  readonly waiting: Tally;
  readonly released: Tally;
  readonly #close: () => Promise<void>;

  static async start(httpServer: HttpServerName, settings: SettingOverrides = {}): Promise<Demo> {
    const seen = { echoed: [] as JsonObject[], waiting: new Tally(), released: new Tally() };
    const { log, lines } = recordingLog();
    const service = await startTestService(demoApp(seen), { HTTP_SERVER: httpServer, ...settings }, log);
    return new Demo({ ...seen, lines, service });
  }

  private constructor({ echoed, waiting, released, lines, service }: DemoParts) {
    this.url = `${service.url}/flows/demo`;
    this.adminUrl = service.adminUrl;
    this.port = Number(new URL(service.url).port);
    this.lines = lines;
    this.echoed = echoed;
    this.waiting = waiting;
    this.released = released;
    this.#close = service.close;
  }

  /** Sends a payload as the real client does, and opens the reply. */
  async ask(payload: object | string, toBody?: (envelope: Envelope) => string): Promise<DemoReply> {
    return this.deliver(await sealAs(payload, toBody));
  }

  async deliver({ body, signature, openReply }: SealedRequest): Promise<DemoReply> {
    const response = await post(this.url, body, { 'X-Hub-Signature-256': signature });
    const text = await response.text();
    return {
      status: response.status,
      body: text,
      payload: text === '' ? undefined : JSON.parse(await openReply(text)),
    };
  }

  /** Sends a body by hand, under as many signature headers as are given, on a connection of its own. */
  async deliverRaw(body: string, ...signatures: readonly string[]): Promise<RawResponse> {
    using client = await RawClient.connect(this.port);
    client.send(flowRequestText(body, ...signatures));
    return await client.response();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#close();
  }
}

interface DemoParts {
  readonly echoed: JsonObject[];
  readonly waiting: Tally;
  readonly released: Tally;
  readonly lines: LogLine[];
  readonly service: { readonly url: string; readonly adminUrl: string; close(): Promise<void> };
}

function demoApp({ echoed, waiting, released }: Pick<DemoParts, 'echoed' | 'waiting' | 'released'>): App {
  const app = createApp();
  app
    .flow('demo', { checkToken: (token) => (token === DEAD_TOKEN ? 'This offer has ended.' : true) })
    .init((c) => c.screen('ECHO', { run: 0 }))
    .on('ECHO', (c) => c.screen('ECHO', { run: echoed.push(c.data) }))
    .on('EXPIRE', (c) => c.expire('Too late.'))
    .on('THROW', () => {
      throw new Error(`cannot charge ${SECRET_IN_ERROR}`);
    })
    .on('WAIT', async (c) => {
      waiting.add();
      if (!c.signal.aborted) await once(c.signal, 'abort');
      released.add();
      return c.screen('WAIT');
    });
  return app;
}

export const PING = { version: '3.0', action: 'ping' };

/** A submit of `screen`. */
export function submit(screen: string, data: object = {}, token = 'a token'): object {
  return { version: '3.0', action: 'data_exchange', screen, data, flow_token: token };
}

/** Seals for the service's key (or another), as the body that `toBody` makes of the envelope. */
export function sealAs(
  payload: object | string,
  toBody?: (envelope: Envelope) => string,
  { publicKey } = keyPair,
): Promise<SealedRequest> {
  return sealRequest(payload, { publicKeyPem: publicKey, appSecret: APP_SECRET }, toBody);
}

/** Changes the bytes of one field before the body is signed. */
export function withBytes(field: Field, change: (bytes: Buffer) => Uint8Array): (envelope: Envelope) => string {
  return (envelope) => {
    const changed = change(Buffer.from(envelope[field], 'base64'));
    return JSON.stringify({ ...envelope, [field]: Buffer.from(changed).toString('base64') });
  };
}

/** @param bit counted from the first, or with a negative number from the last. */
export function flipBit(bytes: Buffer, bit: number): Buffer {
  const index = bit < 0 ? bytes.byteLength * 8 + bit : bit;
  const flipped = Buffer.from(bytes);
  flipped[index >> 3] = (flipped[index >> 3] ?? 0) ^ (1 << (index & 7));
  return flipped;
}

/** As real senders write JSON: `\/` for a slash and ASCII only, beside a key that nobody asked for. */
export function withEscapes(envelope: Envelope): string {
  const json = JSON.stringify({ ...envelope, note: 'ä/ö' });
  return json.replaceAll('/', '\\/').replaceAll('ä', '\\u00e4').replaceAll('ö', '\\u00f6');
}

export function flowRequestText(body: string, ...signatures: readonly string[]): string {
  const headers = signatures.map((signature) => `X-Hub-Signature-256: ${signature}`);
  return requestText('POST /flows/demo', { headers: ['Content-Type: application/json', ...headers], body });
}
