/** The stand-in for the Graph API, and the client that the service would make of its settings. */
import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import { APP, createApp } from '../../../../src/app.ts';
import { createGraphClient, type GraphClient, GraphError } from '../../../../src/graph/client.ts';
import type { JsonObject } from '../../../../src/json.ts';
import { GraphStandIn, type StandInDeps } from '../../../../src/playground/graph/stand-in.ts';
import type { Sent, SentContent } from '../../../../src/playground/sent.ts';
import { TEST_BUSINESS, TEST_USER } from '../../../../src/testing/webhook-events.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { recordingLog } from '../../../support/log.ts';

const app = createApp();
app.flow('booking').init((c) => c.screen('A', {}));
app.flow('rating', { metaFlow: { flowId: '777' } }).init((c) => c.screen('A', {}));
app
  .flow('theirs', { metaFlow: { flowName: 'other_at_meta' }, graphToken: 'theirOwnToken' })
  .init((c) => c.screen('A', {}));

export const PERSON = { to: TEST_USER.waId ?? '' };
/** Before the edge of a call. */
export const NUMBER = `/v25.0/${TEST_BUSINESS.phoneNumberId}`;

export class TestStandIn implements AsyncDisposable {
  readonly standIn: GraphStandIn;
  readonly clock: FakeClock;
  readonly picked: Map<string, Buffer>;
  /** Of the log. */
  readonly lines: unknown[];

  static async start(parts: Partial<StandInDeps> = {}): Promise<TestStandIn> {
    const [clock, picked, { log, lines }] = [new FakeClock(), new Map<string, Buffer>(), recordingLog()];
    const openPicked = (id: string) => picked.get(id);
    const deps = { flows: app[APP].flows, openPicked, randomBytes, clock, log, ...parts };
    return new TestStandIn(await GraphStandIn.start(deps), { clock, picked, lines });
  }

  private constructor(standIn: GraphStandIn, around: Pick<TestStandIn, 'clock' | 'picked' | 'lines'>) {
    this.standIn = standIn;
    this.clock = around.clock;
    this.picked = around.picked;
    this.lines = around.lines;
  }

  get token(): string {
    return this.standIn.settings.token;
  }

  /** Sending is not slowed down, and nothing is tried again. */
  client(more: { token?: string; version?: string; phoneNumberId?: string } = {}): GraphClient {
    const { phoneNumberId = '', ...settings } = this.standIn.settings;
    return createGraphClient({ ...settings, phoneNumberId, messagesPerSecond: 1_000, tries: 1, ...more });
  }

  sent(after = 0): readonly Sent[] {
    return this.standIn.sentAfter(after).sent;
  }

  /** Of the last message. */
  get content(): SentContent | undefined {
    const last = this.sent().at(-1);
    return last?.kind === 'message' ? last.content : undefined;
  }

  /** Past the client, which would refuse it itself. */
  call(path: string, body?: object | string, headers: Record<string, string> = {}, method = 'POST'): Promise<Response> {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const authorization = `Bearer ${this.token}`;
    const init = { method, headers: { authorization, ...headers }, ...(body !== undefined && { body: text }) };
    return fetch(this.standIn.settings.baseUrl + path, init);
  }

  send(message: object): Promise<Response> {
    return this.call(`${NUMBER}/messages`, { messaging_product: 'whatsapp', to: PERSON.to, ...message });
  }

  /** A small text. @returns its media id. */
  async upload(text = 'abc'): Promise<string> {
    const body = new FormData();
    body.append('messaging_product', 'whatsapp');
    body.append('type', 'text/plain');
    body.append('file', new Blob([text], { type: 'text/plain' }), 'a.txt');
    const headers = { authorization: `Bearer ${this.token}` };
    const response = await fetch(`${this.standIn.settings.baseUrl}${NUMBER}/media`, { method: 'POST', headers, body });
    return ((await response.json()) as { id: string }).id;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.standIn.close();
  }
}

export async function failureOf(call: Promise<unknown>): Promise<GraphError> {
  const error: unknown = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof GraphError) return error;
  return expect.unreachable('it was taken');
}

/** Status and code, as Meta tells them. */
export async function refusalOf(response: Response): Promise<unknown[]> {
  const { error } = (await response.json()) as { error: JsonObject };
  return [response.status, error['code']];
}
