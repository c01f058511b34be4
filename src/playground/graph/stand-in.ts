/**
 * In place of the Graph API, where no token for the real one is set: takes what handlers send, for the phone to show.
 *
 * It answers the calls of `src/graph/client.ts` and no others, refuses what Meta would refuse of them, and sends nothing
 * anywhere. Any number may send: the app's own is the one that the playground's webhooks name.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { Clock } from '../../clock.ts';
import type { GraphSettings } from '../../config/settings.ts';
import { isObject, type JsonObject } from '../../json.ts';
import { TEST_BUSINESS } from '../../testing/webhook-events.ts';
import { LoopbackServer } from '../loopback-server.ts';
import type { SentReport } from '../sent.ts';
import { Bodies } from './bodies.ts';
import type { KnownFlows } from './flow-button.ts';
import { GraphRefusal, invalid, toMetaError, unknownPath, wrongToken } from './graph-refusal.ts';
import { MediaFiles } from './media-files.ts';
import { oneOf } from './read-fields.ts';
import { readMessage, readReceipt } from './read-message.ts';
import { SentLog } from './sent-log.ts';
import { MAX_FORM_BYTES } from './uploads.ts';

/** A Flow's message may bring the data of its first screen, with pictures in it. */
export const MAX_MESSAGE_BYTES = 256 * 1024;

const CALL = /^\/v\d+\.\d+\/(?:(\d{1,40})\/(messages|media)|([\w-]{1,128}))$/;
const JSON_TYPE = { 'Content-Type': 'application/json; charset=UTF-8' };

export interface StandInDeps {
  readonly flows: KnownFlows;
  /** A file that was picked in the playground. */
  readonly openPicked: (mediaId: string) => Buffer | undefined;
  readonly randomBytes: (size: number) => Buffer;
  readonly clock: Clock;
  /** Told what was refused and why, without a word of what was sent. */
  readonly log?: Logger | undefined;
}

export class GraphStandIn {
  /** What the service reaches it by. */
  readonly settings: GraphSettings & { readonly token: string; readonly baseUrl: string };
  readonly #deps: StandInDeps;
  readonly #server: LoopbackServer;
  /** That of the settings, and those of Flows that are another business's: none of them leaves this machine. */
  readonly #tokens: ReadonlySet<string>;
  readonly #bodies = new Bodies();
  readonly #media: MediaFiles;
  readonly #log: SentLog;

  static async start(deps: StandInDeps): Promise<GraphStandIn> {
    return new GraphStandIn(await LoopbackServer.start(), deps);
  }

  private constructor(server: LoopbackServer, deps: StandInDeps) {
    const { randomBytes, clock, openPicked } = deps;
    const token = `playground-${randomBytes(24).toString('base64url')}`;
    this.settings = { token, phoneNumberId: TEST_BUSINESS.phoneNumberId, baseUrl: server.origin };
    this.#tokens = new Set([
      token,
      ...[...deps.flows.values()].flatMap(({ credentials }) => credentials.graphToken?.trim() ?? []),
    ]);
    this.#deps = deps;
    this.#server = server;
    this.#media = new MediaFiles({ origin: server.origin, openPicked, randomBytes });
    this.#log = new SentLog(() => clock.epochMs());
    server.serve((request, response) => void this.#answer(request, response).catch(() => response.destroy()));
  }

  /** @param seq of the last one that is known. */
  sentAfter(seq: number): Omit<SentReport, 'bootId'> {
    return { nowMs: this.#deps.clock.epochMs(), sent: this.#log.after(seq) };
  }

  close(): Promise<void> {
    return this.#server.close();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const reply = await this.#reply(request);
      if (Buffer.isBuffer(reply)) response.writeHead(200, { 'Content-Type': 'application/octet-stream' }).end(reply);
      else response.writeHead(200, JSON_TYPE).end(JSON.stringify(reply));
    } catch (error) {
      if (!(error instanceof GraphRefusal)) throw error;
      const { status, code, message } = error;
      this.#deps.log?.warn({ status, code }, `in place of the Graph API, the playground refused a call: ${message}`);
      response.writeHead(status, JSON_TYPE).end(JSON.stringify(toMetaError(error, this.#newTraceId())));
    }
  }

  /** A refusal comes once the body is read, so that the client is there to hear it. */
  async #reply(request: IncomingMessage): Promise<JsonObject | Buffer> {
    const { method, headers, url = '' } = request;
    const isOwn = this.#tokens.has(/^Bearer (\S+)$/.exec(headers.authorization ?? '')?.[1] ?? '');
    const [path = ''] = url.split('?');
    const [, number, edge, mediaId] = CALL.exec(path) ?? [];
    const isUpload = isOwn && edge === 'media';
    return this.#bodies.with(request, isUpload ? MAX_FORM_BYTES : MAX_MESSAGE_BYTES, (body) => {
      if (!isOwn) throw wrongToken();
      if (method === 'GET' && mediaId !== undefined) return this.#media.lookUp(mediaId);
      if (method === 'GET') return this.#media.download(path);
      if (method !== 'POST' || number === undefined) throw unknownPath();
      return isUpload ? this.#media.upload(headers['content-type'] ?? '', body) : this.#accept(body);
    });
  }

  #accept(body: Buffer): JsonObject {
    const call = readJson(body);
    oneOf('messaging_product', call['messaging_product'], ['whatsapp']);
    if (call['status'] !== undefined) {
      oneOf('status', call['status'], ['read']);
      this.#log.add({ kind: 'read', ...readReceipt(call) }, body.length);
      return { success: true };
    }
    const findUpload = (id: string) => this.#media.findUpload(id);
    const { recipient, ...message } = readMessage(call, { flows: this.#deps.flows, findUpload });
    const id = `wamid.${this.#deps.randomBytes(36).toString('base64')}`;
    this.#log.add({ kind: 'message', id, ...message }, body.length);
    return {
      messaging_product: 'whatsapp',
      contacts: [{ input: recipient, wa_id: recipient }],
      messages: [{ id }],
    };
  }

  #newTraceId(): string {
    return `A${this.#deps.randomBytes(16).toString('base64url')}`;
  }
}

function readJson(body: Buffer): JsonObject {
  try {
    const value: unknown = JSON.parse(body.toString());
    if (isObject(value)) return value;
  } catch {
    // told below
  }
  throw invalid('the body', 'a JSON object');
}
