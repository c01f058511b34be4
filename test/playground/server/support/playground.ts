/** A real service with the playground on its admin port, and the calls that the page makes. */
import type { App } from '../../../../src/app.ts';
import { loadSettings, type SettingOverrides, withOverrides } from '../../../../src/config/settings.ts';
import type { JsonObject, JsonValue } from '../../../../src/json.ts';
import type { ExchangeReport, InboxItem, InboxView, PublicKeyReport } from '../../../../src/playground/api.ts';
import { type PlaygroundParts, startWithPlayground } from '../../../../src/playground/playground.ts';
import type { Service } from '../../../../src/service.ts';
import { openSqliteInbox } from '../../../../src/stores/sqlite-inbox.ts';
import { sealRequest } from '../../../../src/testing/wire.ts';
import { eventually } from '../../../support/eventually.ts';
import { keyPair } from '../../../support/keys.ts';
import { silentLog } from '../../../support/log.ts';
import { MemoryState } from '../../../support/memory-state.ts';
import { APP_SECRET, VERIFY_TOKEN } from '../../../support/service.ts';

export const OWN = {
  HOST: '127.0.0.1',
  PORT: 0,
  ADMIN_PORT: 0,
  WORKERS: 1,
  APP_SECRET,
  VERIFY_TOKEN,
  PRIVATE_KEY: keyPair.privateKey,
  REPLY_GUARD: 'error',
};

export interface Told {
  readonly report: ExchangeReport;
  /** What the sealed answer opens to. */
  readonly answer: JsonValue | undefined;
}

export class TestPlayground implements AsyncDisposable {
  readonly service: Service;
  readonly api: string;

  static async start(
    app: App,
    settings: SettingOverrides = {},
    parts: Partial<PlaygroundParts> = {},
  ): Promise<TestPlayground> {
    const service = await startWithPlayground(app, {
      settings: loadSettings(withOverrides(settings, withOverrides(OWN, {}))),
      log: silentLog,
      openInbox: (options) => openSqliteInbox({ ...options, path: ':memory:' }),
      openState: async ({ clock }) => new MemoryState(clock),
      ...parts,
    });
    return new TestPlayground(service);
  }

  private constructor(service: Service) {
    this.service = service;
    this.api = `${service.adminUrl}/playground/api/`;
  }

  get<T>(path: string): Promise<T> {
    return answered(fetch(this.api + path));
  }

  /** @param body sent as JSON, or as it is. */
  post<T>(path: string, body: object | string | Uint8Array<ArrayBuffer>): Promise<T> {
    return answered(this.postRaw(path, body));
  }

  postRaw(path: string, body: object | string | Uint8Array<ArrayBuffer>, headers = {}): Promise<Response> {
    const isRaw = typeof body === 'string' || body instanceof Uint8Array;
    const init = {
      method: 'POST',
      headers: { 'X-Playground': '1', ...headers },
      body: isRaw ? body : JSON.stringify(body),
    };
    return fetch(this.api + path, init);
  }

  /** Seals with the key that the server hands out. */
  async exchange(flow: string, payload: JsonObject, { isRetired = false } = {}): Promise<Told> {
    const { pem } = await this.get<PublicKeyReport>(isRetired ? 'public-key?retired' : 'public-key');
    const sealed = await sealRequest(payload, { publicKeyPem: pem, appSecret: 'not the server’s' });
    const report = await this.post<ExchangeReport>(`exchange/${flow}`, sealed.body);
    const answer = report.body === '' ? undefined : (JSON.parse(await sealed.openReply(report.body)) as JsonValue);
    return { report, answer };
  }

  /** Waits until the inbox view has what `choose` wants. */
  async item(choose: (item: InboxItem) => boolean): Promise<InboxItem> {
    return eventually(async () => {
      const { items } = await this.get<InboxView>('inbox');
      const found = items.find(choose);
      if (!found) throw new Error(`not among ${JSON.stringify(items)}`);
      return found;
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.service.close();
  }
}

async function answered<T>(response: Promise<Response>): Promise<T> {
  const { status, text } = await response.then(async (got) => ({ status: got.status, text: await got.text() }));
  if (status !== 200) throw new Error(`answered ${status}: ${text}`);
  return JSON.parse(text) as T;
}

export const init = (token = 'token'): JsonObject => ({ version: '3.0', action: 'INIT', flow_token: token, data: {} });
