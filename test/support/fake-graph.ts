/**
 * Meta's Graph API as far as messages, media, Flows and public keys go, on 127.0.0.1: strict where Meta is, and wrong where it is told to be.
 *
 * What it refuses it explains as Meta does at worst: by quoting the recipient and what was sent.
 */
import { createPublicKey } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { JsonObject } from '../../src/json.ts';
import { FakeFlows, parseBody } from './fake-graph-flows.ts';
import { checkMessage, checkReceipt } from './fake-graph-messages.ts';
import { demand, Refusal } from './fake-graph-refusal.ts';
import { Tally } from './raw-http.ts';

export const GRAPH_TOKEN = 'EAAfakeGraphToken';
export const PHONE_NUMBER_ID = '106540352242922';
export const BUSINESS_ACCOUNT_ID = '102290129340398';
export const GRAPH_VERSION = 'v25.0';

export interface FakeReply {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

export interface FakeFailure {
  readonly status: number;
  readonly code?: number;
  readonly subcode?: number;
  readonly isTransient?: boolean;
  /** The header. */
  readonly retryAfter?: string;
}

export interface ReceivedMessage {
  readonly id: string;
  readonly body: JsonObject;
}

export interface ReceivedUpload {
  readonly id: string;
  readonly filename: string;
  readonly mimeType: string;
  readonly data: Buffer;
}

/** What is done with a call in place of answering it. */
type Plan = (response: ServerResponse, body: Buffer) => void;

export class FakeGraph implements AsyncDisposable {
  readonly url: string;
  /** Accepted ones, in order. */
  readonly messages: ReceivedMessage[] = [];
  readonly uploads: ReceivedUpload[] = [];
  /** Receipts, in order. */
  readonly reads: JsonObject[] = [];
  /** What a user sent, by its id: what is told of it. */
  readonly media = new Map<string, JsonObject>();
  readonly flows = new FakeFlows();
  /** Who may use which number: tokens, and the id of the one number of each. */
  readonly accounts = new Map([[GRAPH_TOKEN, PHONE_NUMBER_ID]]);
  /** Tokens that messages were accepted with, in order. */
  readonly usedTokens: string[] = [];
  /** The key of the number, as it was uploaded; undefined for none. */
  publicKey: string | undefined;
  keyStatus = 'VALID';
  /** Meta's guide shows the key without the `data` around it that its reference has. */
  hasDataAroundKey = true;
  /** Counts calls as they arrive whole, before they are answered. */
  readonly calls = new Tally();
  readonly #server: Server;
  #plans: Plan[] = [];
  #lastId = 0;

  static async start(): Promise<FakeGraph> {
    const server = createServer();
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return new FakeGraph(server);
  }

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('request', (request, response) => void this.#handle(request, response));
  }

  /** The next `times` calls fail with an error of Meta's form that quotes the call. */
  failNext(times: number, { status, code = 100, subcode, isTransient, retryAfter }: FakeFailure): void {
    this.#plan(times, (response, body) => {
      const quoted = `(#${code}) ${body.toString()}`;
      if (retryAfter !== undefined) response.setHeader('Retry-After', retryAfter);
      answer(response, status, {
        error: {
          message: quoted,
          type: 'OAuthException',
          code,
          error_data: { messaging_product: 'whatsapp', details: quoted },
          ...(subcode !== undefined && { error_subcode: subcode }),
          ...(isTransient !== undefined && { is_transient: isTransient }),
          error_user_title: quoted,
          fbtrace_id: 'AZfakeTrace-_0',
        },
      });
    });
  }

  /** The next call gets this reply. */
  answerNext({ status = 200, headers = {}, body = '' }: FakeReply): void {
    this.#plan(1, (response) => response.writeHead(status, headers).end(body));
  }

  /** The next call gets no reply, or the start of one and no more. */
  hangNext({ afterHead = false } = {}): void {
    this.#plan(1, (response) => {
      if (afterHead) response.writeHead(200, { 'Content-Type': 'application/json' }).write('{"messages":');
    });
  }

  /** The connection of the next call breaks, before the reply or in it. */
  breakNext({ afterHead = false } = {}): void {
    this.#plan(1, (response) => {
      if (!afterHead) response.destroy();
      else response.writeHead(200, { 'Content-Length': 99 }).write('{"messages":', () => response.destroy());
    });
  }

  /** Lets the next `times` calls through, before what is planned after this. */
  passNext(times: number): void {
    this.#plans.push(...Array<Plan>(times).fill(PASS));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((closed) => this.#server.close(closed));
  }

  #plan(times: number, plan: Plan): void {
    this.#plans.push(...Array<Plan>(times).fill(plan));
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request);
    const plan = this.#plans.shift() ?? PASS;
    this.calls.add();
    if (plan !== PASS) return plan(response, body);
    try {
      answer(response, 200, await this.#accept(request, body));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      answer(response, error.status, {
        error: {
          message: error.message,
          type: 'OAuthException',
          code: error.code,
          ...(error.subcode !== undefined && { error_subcode: error.subcode }),
          fbtrace_id: 'AZfakeTrace-_1',
        },
      });
    }
  }

  async #accept(request: IncomingMessage, body: Buffer): Promise<JsonObject> {
    const [, token = ''] = /^Bearer (.*)$/.exec(request.headers.authorization ?? '') ?? [];
    const own = this.accounts.get(token);
    if (own === undefined) throw new Refusal(`cannot parse access token ${token}`, 401, 190);
    const type = request.headers['content-type'] ?? '';
    const { pathname, searchParams } = new URL(request.url ?? '', this.url);
    switch (`${request.method} ${pathname}`) {
      case `POST /${GRAPH_VERSION}/${own}/messages`:
        return this.#acceptMessage(parseBody(type, body), token);
      case `POST /${GRAPH_VERSION}/${own}/media`:
        return this.#acceptUpload(await readForm(type, body));
      case `POST /${GRAPH_VERSION}/${PHONE_NUMBER_ID}/whatsapp_business_encryption`:
        return this.#acceptKey(type, body);
      case `GET /${GRAPH_VERSION}/${PHONE_NUMBER_ID}/whatsapp_business_encryption`:
        return this.#showKey();
      case `POST /${GRAPH_VERSION}/${BUSINESS_ACCOUNT_ID}/flows`:
        return this.flows.create(String(++this.#lastId), parseBody(type, body));
      default:
        return this.#acceptOther(`${request.method}`, pathname, { own, searchParams, type, body });
    }
  }

  /** What names a Flow or media by its id. */
  async #acceptOther(
    method: string,
    path: string,
    { own, searchParams, type, body }: { own: string; searchParams: URLSearchParams; type: string; body: Buffer },
  ): Promise<JsonObject> {
    const [, id = '', rest] = new RegExp(`^/${GRAPH_VERSION}/(\\w+)(/\\w+)?$`).exec(path) ?? [];
    const media = this.media.get(id);
    if (media && method === 'GET' && !rest) {
      const number = searchParams.get('phone_number_id') ?? own;
      if (number === own) return { messaging_product: 'whatsapp', id, ...media };
    }
    const flow = this.flows.find(id);
    if (flow) {
      switch (`${method} ${rest ?? ''}`) {
        case 'GET ':
          return this.flows.show(flow, (searchParams.get('fields') ?? 'id').split(','));
        case 'POST ':
          return this.flows.update(flow, parseBody(type, body));
        case 'POST /assets':
          return this.flows.upload(flow, await readForm(type, body));
        case 'POST /publish':
          return this.flows.publish(flow);
        case 'POST /deprecate':
          return this.flows.deprecate(flow);
      }
    }
    throw new Refusal(`unsupported ${method} ${path}`, 400, 100, UNKNOWN_OBJECT);
  }

  #acceptMessage(body: JsonObject, token: string): JsonObject {
    if (body['status'] === 'read') {
      checkReceipt(body);
      this.reads.push(body);
      return { success: true };
    }
    const user = checkMessage(body, (id) => this.uploads.some((upload) => upload.id === id));
    const id = `wamid.fake${++this.#lastId}`;
    this.messages.push({ id, body });
    this.usedTokens.push(token);
    return { messaging_product: 'whatsapp', contacts: [{ input: user, wa_id: user }], messages: [{ id }] };
  }

  async #acceptUpload(form: FormData): Promise<JsonObject> {
    const file = form.get('file');
    demand(form.get('messaging_product') === 'whatsapp', 'messaging_product');
    demand(file !== null && typeof file !== 'string', 'file');
    demand(file.type === form.get('type'), `received a file of type ${file.type}`);
    const id = String(++this.#lastId);
    const data = Buffer.from(await file.arrayBuffer());
    this.uploads.push({ id, filename: file.name, mimeType: file.type, data });
    return { id };
  }

  #acceptKey(type: string, bytes: Buffer): JsonObject {
    demand(/^application\/x-www-form-urlencoded\b/.test(type), `content type ${type}`);
    const pem = new URLSearchParams(bytes.toString()).get('business_public_key') ?? '';
    demand(isRsa2048(pem), `not a public RSA key of 2048 bits: ${pem}`);
    this.publicKey = pem;
    return { success: true };
  }

  #showKey(): JsonObject {
    const { publicKey, keyStatus } = this;
    if (publicKey === undefined) return { data: [] };
    const entry = { business_public_key: publicKey, business_public_key_signature_status: keyStatus };
    return this.hasDataAroundKey ? { data: [entry] } : entry;
  }
}

/** The number is none, or not of whoever has the token. */
const UNKNOWN_OBJECT = 33;

const PASS: Plan = () => {};

function answer(response: ServerResponse, status: number, body: JsonObject): void {
  response.writeHead(status, { 'Content-Type': 'application/json; charset=UTF-8' }).end(JSON.stringify(body));
}

function readForm(type: string, bytes: Buffer): Promise<FormData> {
  demand(/^multipart\/form-data\b/.test(type), `content type ${type}`);
  return new Response(new Uint8Array(bytes), { headers: { 'Content-Type': type } }).formData();
}

function isRsa2048(pem: string): boolean {
  if (!/^-----BEGIN PUBLIC KEY-----\n/.test(pem)) return false;
  try {
    const { asymmetricKeyType, asymmetricKeyDetails } = createPublicKey(pem);
    return asymmetricKeyType === 'rsa' && asymmetricKeyDetails?.modulusLength === 2048;
  } catch {
    return false;
  }
}
