/** A service that goes through everything its metrics can tell of, except what takes a broken machine. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Service } from '../../../src/service.ts';
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
import { eventually } from '../../support/eventually.ts';
import { FakeCdn, status } from '../../support/fake-cdn.ts';
import { FakeGraph, GRAPH_TOKEN, PHONE_NUMBER_ID } from '../../support/fake-graph.ts';
import { httpServers } from '../../support/http-servers.ts';
import { keyPair, makeKeyPair } from '../../support/keys.ts';
import { silentLog } from '../../support/log.ts';
import { APP_SECRET, startTestService } from '../../support/service.ts';
import { DEAD_TOKEN, LOST_TENANT, makeApp, STRANGE_TOKEN, TENANT } from './traffic-app.ts';
import { partsIn, type Trouble } from './trouble.ts';

const olderKeyPair = makeKeyPair();
const strangeKeyPair = makeKeyPair();
/** So many that one in ten of them says something: a Flow with fewer than ten requests raises no alert. */
const USERS = 20;
const REFUSED = 6;
/** More than can be called an accident. */
const FAILING = 4;
/** What Meta answers to more messages than a number may send. */
const TOO_MANY_MESSAGES = { status: 400, code: 130429 };

export class Traffic implements AsyncDisposable {
  /** To be scraped: the one that all of it goes to, and one that serves TLS and gets nothing. */
  readonly adminUrls: readonly string[];
  readonly #services: readonly (Service & AsyncDisposable)[];
  readonly #trouble: Trouble;
  readonly #graph: FakeGraph;
  readonly #cdn: FakeCdn;
  readonly #phone: Phone;
  readonly #phones: { readonly older: Phone; readonly strange: Phone; readonly forger: Phone };

  static async start(): Promise<Traffic> {
    const trouble = { isSaturated: false, isStoreDown: false, isStateDown: false };
    const [graph, cdn] = await Promise.all([FakeGraph.start(), FakeCdn.start()]);
    const app = makeApp();
    const [httpServer = 'node'] = httpServers; // never as a fallback
    const settings = {
      HTTP_SERVER: httpServer,
      GRAPH_TOKEN,
      PHONE_NUMBER_ID,
      GRAPH_BASE_URL: graph.url,
      GRAPH_MESSAGES_PER_SECOND: 1,
      MEDIA_HOSTS: cdn.origin,
    };
    const parts = partsIn(trouble);
    const service = await startTestService(app, { ...settings, PRIVATE_KEY_FILE: writeKeys() }, silentLog, parts);
    const { certFile, keyFile } = new TestAuthority().write('flows.example.com');
    const tls = { TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile };
    const withTls = await startTestService(app, { HTTP_SERVER: httpServer, ...tls }, silentLog, parts);
    return new Traffic([service, withTls], trouble, graph, cdn);
  }

  private constructor(
    services: readonly (Service & AsyncDisposable)[],
    trouble: Trouble,
    graph: FakeGraph,
    cdn: FakeCdn,
  ) {
    this.#services = services;
    this.#trouble = trouble;
    this.#graph = graph;
    this.#cdn = cdn;
    this.adminUrls = services.map(({ adminUrl }) => adminUrl);
    this.#phone = this.#phoneWith({});
    this.#phones = {
      older: this.#phoneWith({ publicKey: olderKeyPair.publicKey }),
      strange: this.#phoneWith({ publicKey: strangeKeyPair.publicKey }),
      forger: this.#phoneWith({ appSecret: 'no' }),
    };
  }

  get #url(): string {
    return this.#services[0]?.url ?? '';
  }

  #phoneWith({ publicKey = keyPair.publicKey, appSecret = APP_SECRET }): Phone {
    return createPhone({ url: this.#url, publicKey, appSecret }, { retryDelayMs: 0 });
  }

  /** Everything once. The second time, whatever counts has counted up. */
  async round(): Promise<void> {
    await this.#walk();
    await this.#failures();
    await this.#answers();
    await this.#tenants();
    await this.#webhooks();
    await this.#flowHealth();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const part of [...this.#services, this.#graph, this.#cdn]) await part[Symbol.asyncDispose]();
  }

  async #walk(): Promise<void> {
    const phone = this.#phone;
    await phone.ping('booking');
    for (let i = 0; i < USERS; i++) await phone.open('booking');
    await phone.submit({ department: 'eyes' });
    await phone.submit({ slot: '9:00' }); // the slow one
    await phone.reportError('invalid-screen-transition');
    await this.#complete();
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
    await refused(432, () => this.#phones.forger.open('booking'));
  }

  /** Its handler sends two messages, of which Meta refuses one at first. */
  async #complete(): Promise<void> {
    const sent = this.#graph.messages.length;
    this.#graph.failNext(1, TOO_MANY_MESSAGES);
    await this.#phone.sendCompletion();
    await eventually(() => {
      if (this.#graph.messages.length < sent + 2) throw new Error('not both were sent');
    });
  }

  /** The reply guard, tokens, kept answers, sessions and picked files. */
  async #answers(): Promise<void> {
    const phone = this.#phone;
    for (let i = 0; i < USERS; i++) await phone.open('shop');
    for (let i = 0; i < 2; i++) await phone.submit({ item: 'tea' }); // a wrong answer, and the same again
    await refused(427, () => phone.open('shop', { token: STRANGE_TOKEN }));
    for (let i = 0; i < FAILING; i++) await refused(427, () => this.#openUnsigned());
    this.#trouble.isStateDown = true;
    for (let i = 0; i < FAILING; i++) await refused(500, () => phone.open('shop'));
    this.#trouble.isStateDown = false;
    await this.#pick();
  }

  /** With a flow token that Meta has not signed. */
  async #openUnsigned(): Promise<void> {
    const payload = { version: '4.0', action: 'INIT', flow_token: 'mine', flow_token_signature: 'no JWT' };
    const { status } = await this.#phone.send(payload, 'shop');
    if (status !== 200) throw new PhoneError(`answered ${status}`, status);
  }

  /** A file that comes, and some that do not. */
  async #pick(): Promise<void> {
    const phone = this.#phone;
    const gone = () => status(404);
    await phone.open('shop');
    phone.navigate('PHOTOS');
    for (let i = 0; i < FAILING; i++) {
      await refused(500, () => phone.submit({ photos: [this.#cdn.pick('a photo', gone)] }));
    }
    await phone.submit({ photos: [this.#cdn.pick('a photo')] });
  }

  async #tenants(): Promise<void> {
    const phone = this.#phone;
    await phone.open(`shop/${TENANT}`);
    phone.navigate('MISSING');
    await refused(500, () => phone.submit());
    await refused(432, () => this.#phones.forger.open(`shop/${TENANT}`));
    await refused(421, () => this.#phones.strange.open(`shop/${TENANT}`));
    await refused(503, () => phone.open(`shop/${LOST_TENANT}`));
    const { status } = await fetch(`${this.#url}/webhook/${LOST_TENANT}`, { method: 'POST', body: '{}' });
    if (status !== 503) throw new Error(`the webhook of a tenant that is lost was answered ${status}`);
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
