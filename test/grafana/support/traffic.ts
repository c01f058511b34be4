/** A service that goes through everything its metrics can tell of, except what takes a broken machine. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DecryptPool, type DecryptPoolOptions } from '../../../src/crypto/decrypt-pool.ts';
import { FlowgateError } from '../../../src/errors.ts';
import { type App, createApp } from '../../../src/index.ts';
import type { Service } from '../../../src/service.ts';
import type { OpenInboxOptions } from '../../../src/stores/open-inbox.ts';
import { openSqliteInbox } from '../../../src/stores/sqlite-inbox.ts';
import {
  createPhone,
  flowAlert,
  image,
  type Phone,
  PhoneError,
  statusUpdate,
  textMessage,
} from '../../../src/testing/index.ts';
import { TestAuthority } from '../../support/certificates.ts';
import { temporaryDirectory } from '../../support/command.ts';
import { httpServers } from '../../support/http-servers.ts';
import { keyPair, makeKeyPair } from '../../support/keys.ts';
import { silentLog } from '../../support/log.ts';
import { APP_SECRET, startTestService } from '../../support/service.ts';

const olderKeyPair = makeKeyPair();
const strangeKeyPair = makeKeyPair();
const DEAD_TOKEN = 'a token of yesterday';
const SLOW_MS = 600;
/** So many that one in ten of them says something: a Flow with fewer than ten requests raises no alert. */
const USERS = 20;
const REFUSED = 6;

export class Traffic implements AsyncDisposable {
  /** To be scraped: the one that all of it goes to, and one that serves TLS and gets nothing. */
  readonly adminUrls: readonly string[];
  readonly #services: readonly (Service & AsyncDisposable)[];
  readonly #trouble: Trouble;
  readonly #phone: Phone;
  readonly #phones: { readonly older: Phone; readonly strange: Phone };

  static async start(): Promise<Traffic> {
    const trouble = { isSaturated: false, isStoreDown: false };
    const app = makeApp();
    const [httpServer = 'node'] = httpServers; // never as a fallback
    const service = await startTestService(app, { HTTP_SERVER: httpServer, PRIVATE_KEY_FILE: writeKeys() }, silentLog, {
      startDecryption: (options) => startPool(options, trouble),
      openInbox: (options) => openInbox(options, trouble),
    });
    const { certFile, keyFile } = new TestAuthority().write('flows.example.com');
    const withTls = await startTestService(app, {
      HTTP_SERVER: httpServer,
      TLS_CERT_FILE: certFile,
      TLS_KEY_FILE: keyFile,
    });
    return new Traffic([service, withTls], trouble);
  }

  private constructor(services: readonly (Service & AsyncDisposable)[], trouble: Trouble) {
    this.#services = services;
    this.#trouble = trouble;
    this.adminUrls = services.map(({ adminUrl }) => adminUrl);
    const url = services[0]?.url ?? '';
    const phoneWith = ({ publicKey }: { publicKey: string }) =>
      createPhone({ url, publicKey, appSecret: APP_SECRET }, { retryDelayMs: 0 });
    this.#phone = phoneWith(keyPair);
    this.#phones = { older: phoneWith(olderKeyPair), strange: phoneWith(strangeKeyPair) };
  }

  /** Everything once. The second time, whatever counts has counted up. */
  async round(): Promise<void> {
    await this.#walk();
    await this.#failures();
    await this.#webhooks();
    await this.#flowHealth();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const service of this.#services) await service[Symbol.asyncDispose]();
  }

  async #walk(): Promise<void> {
    const phone = this.#phone;
    await phone.ping('booking');
    for (let i = 0; i < USERS; i++) await phone.open('booking');
    await phone.submit({ department: 'eyes' });
    await phone.submit({ slot: '9:00' }); // the slow one
    await phone.reportError('invalid-screen-transition');
    await phone.sendCompletion();
    await this.#phones.older.open('booking');
  }

  async #failures(): Promise<void> {
    const phone = this.#phone;
    await refused(427, () => phone.open('booking', { token: DEAD_TOKEN }));
    await phone.open('booking');
    phone.navigate('BROKEN');
    await refused(500, () => phone.submit());
    for (let i = 0; i < 3; i++) await refused(421, () => this.#phones.strange.open('booking')); // each tries twice
    this.#trouble.isSaturated = true;
    for (let i = 0; i < REFUSED; i++) await refused(503, () => phone.open('booking'));
    this.#trouble.isSaturated = false;
    const forger = createPhone({ url: this.#services[0]?.url ?? '', publicKey: keyPair.publicKey, appSecret: 'no' });
    await refused(432, () => forger.open('booking'));
  }

  async #webhooks(): Promise<void> {
    const phone = this.#phone;
    const text = textMessage('its handler fails, and there is no second attempt');
    await phone.deliver([text, statusUpdate({ messageId: 'wamid.1', status: 'read' })]);
    await phone.deliver([text]);
    await phone.deliver([image()]);
    await phone.deliverRaw([image()], { signature: `sha256=${'0'.repeat(64)}` });
    this.#trouble.isStoreDown = true;
    await refused(503, () => phone.deliver([image()]));
    this.#trouble.isStoreDown = false;
  }

  /** Meta warns of one Flow, and throttles another. */
  async #flowHealth(): Promise<void> {
    await this.#phone.deliver([
      flowAlert('ENDPOINT_LATENCY', { threshold: 1_000, p90_latency: 1_500 }),
      flowAlert('ENDPOINT_AVAILABILITY'),
    ]);
    for (const status of ['DRAFT', 'PUBLISHED', 'BLOCKED', 'THROTTLED']) {
      await this.#phone.deliver([flowAlert('FLOW_STATUS_CHANGE', { flow_id: '7', new_status: status })]);
    }
  }
}

/** What is broken at the moment. */
interface Trouble {
  isSaturated: boolean;
  isStoreDown: boolean;
}

function makeApp(): App {
  const failedOnce = new Set<string>();
  const app = createApp();
  app
    .flow('booking', { checkToken: (token) => token !== DEAD_TOKEN })
    .init((c) => c.screen('DEPARTMENT'))
    .on('DEPARTMENT', (c) => c.screen('SLOT'))
    .on('SLOT', async (c) => {
      await sleep(SLOW_MS);
      return c.complete({ booked: true });
    })
    .on('BROKEN', () => {
      throw new Error('told so');
    })
    .completed(() => {});
  app.on(
    'message.text',
    () => {
      throw new Error('told so');
    },
    { retry: { attempts: 1 } },
  );
  app.on(
    'message.image',
    ({ id }) => {
      if (failedOnce.has(id)) return;
      failedOnce.add(id);
      throw new Error('told so');
    },
    { retry: { minDelayMs: 0 } },
  );
  return app;
}

async function startPool(options: DecryptPoolOptions, trouble: Trouble): Promise<DecryptPool> {
  const pool = await DecryptPool.start(options);
  return Object.defineProperty(pool, 'isSaturated', { get: () => trouble.isSaturated });
}

async function openInbox(options: OpenInboxOptions, trouble: Trouble) {
  const inbox = await openSqliteInbox({ ...options, path: ':memory:' });
  const append = inbox.append.bind(inbox);
  inbox.append = async (items) => {
    if (trouble.isStoreDown) throw new FlowgateError('INBOX_UNAVAILABLE', 'told so');
    return append(items);
  };
  return inbox;
}

/** @returns the value of `PRIVATE_KEY_FILE`. */
function writeKeys(): string {
  const directory = temporaryDirectory();
  const files = [keyPair, olderKeyPair].map(({ privateKey }, i) => {
    const file = join(directory, `${i}.pem`);
    writeFileSync(file, privateKey);
    return file;
  });
  return files.join(',');
}

async function refused(status: number, act: () => Promise<unknown>): Promise<void> {
  const error = await act().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof PhoneError) || error.status !== status)
    throw new Error(`not refused with ${status}`, { cause: error });
}
