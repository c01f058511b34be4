/** Where a phone sends its requests: an app in this process, or a server. */
import { generateKeyPair, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { APP, type App, isApp } from '../app.ts';
import { loadSettings, type SettingOverrides, withOverrides } from '../config/settings.ts';
import { describeViolations, type RefusedAnswer } from '../flows/guard-reply.ts';
import { type Host, openHost } from '../host.ts';
import { openSqliteInbox } from '../stores/sqlite-inbox.ts';
import { openSqliteState } from '../stores/sqlite-state.ts';
import type { MintOptions } from '../tokens/tokens.ts';

/** A running server, and what a business knows of it. */
export interface ServerTarget {
  /** `http://127.0.0.1:3000`: Flows are under `/flows/<name>`, webhooks go to `/webhook`. */
  readonly url: string;
  /** SPKI PEM; a function is asked again after a 421, as the real client downloads the key again. */
  readonly publicKey: string | (() => string | Promise<string>);
  readonly appSecret: string;
}

/** One of the businesses that share a server, and what it knows of itself. */
export interface TenantTarget {
  readonly name: string;
  /** SPKI PEM. */
  readonly publicKey: string;
  readonly appSecret: string;
}

export interface WireReply {
  readonly status: number;
  readonly contentType: string | null;
  readonly body: string;
}

/** What the phone needs of either. */
export interface Target {
  readonly appSecret: string;
  publicKey(): Promise<string>;
  post(flow: string, body: string, headers: Record<string, string>): Promise<WireReply>;
  /** Posts to the webhook. */
  deliver(body: string, headers: Record<string, string>, tenant?: string): Promise<WireReply>;
  /** Resolves when no handler runs and nothing is due; at once for a server, which cannot be asked. */
  settled(): Promise<void>;
  /** As `app.tokens.mint`. Rejects with a TypeError for a server, whose tokens it makes itself. */
  mint(options: MintOptions & { readonly tenant?: string }): Promise<string>;
  /** What the reply guard found wrong with the last answer that it refused, in a sentence; told once. */
  refusal(): string | undefined;
  close(): Promise<void>;
}

/**
 * @param settings for an app in this process: beats the test's own key, secret, one worker and silent log.
 * @param tenant whose customer the phone is, where that is not the business of the settings.
 */
export function toTarget(target: App | ServerTarget, settings: SettingOverrides, tenant?: TenantTarget): Target {
  const whole = isApp(target) ? inMemory(target, settings) : overHttp(target);
  return tenant ? ofTenant(whole, tenant) : whole;
}

function ofTenant(target: Target, { name, publicKey, appSecret }: TenantTarget): Target {
  return {
    ...target,
    appSecret,
    publicKey: async () => publicKey,
    post: (flow, body, headers) => target.post(`${flow}/${name}`, body, headers),
    deliver: (body, headers) => target.deliver(body, headers, name),
    mint: (options) => target.mint({ ...options, tenant: name }),
  };
}

function overHttp({ url, publicKey, appSecret }: ServerTarget): Target {
  return {
    appSecret,
    publicKey: async () => (typeof publicKey === 'string' ? publicKey : publicKey()),
    post: async (flow, body, headers) =>
      toWireReply(await fetch(flowUrl(url, flow), { method: 'POST', headers, body })),
    deliver: async (body, headers, tenant) =>
      toWireReply(await fetch(webhookUrl(url, tenant), { method: 'POST', headers, body })),
    settled: async () => {},
    async mint() {
      throw new TypeError('a server makes its tokens itself: give the phone one with { token }');
    },
    refusal: () => undefined,
    close: async () => {},
  };
}

const IN_MEMORY = 'http://in.memory';

function inMemory(app: App, settings: SettingOverrides): Target {
  const appSecret = randomBytes(16).toString('hex');
  let opened: Promise<Host> | undefined;
  let refused: RefusedAnswer | undefined;
  const host = () => {
    opened ??= open();
    return opened;
  };
  const post = async (url: string, body: string, headers: Record<string, string>) => {
    return toWireReply(await (await host()).fetch(new Request(url, { method: 'POST', headers, body })));
  };
  const open = async () => {
    const { privateKey } = await testKeys();
    const quiet = withOverrides({ WORKERS: 1, LOG_LEVEL: 'silent', REPLY_GUARD: 'error' }, {});
    const wanted = withOverrides({ ...app[APP].settings, ...settings }, quiet);
    // Last, so that they win: an app's real secrets have no place in a test.
    const secrets = { APP_SECRET: appSecret, PRIVATE_KEY: privateKey, VERIFY_TOKEN: randomBytes(16).toString('hex') };
    return openHost(app[APP], {
      settings: loadSettings(withOverrides(secrets, wanted)),
      openInbox: (options) => openSqliteInbox({ ...options, path: ':memory:' }),
      openState: (options) => openSqliteState({ ...options, path: ':memory:' }),
      onViolations: (violations) => (refused = violations),
    });
  };
  return {
    appSecret,
    publicKey: async () => (await testKeys()).publicKey,
    post: (flow, body, headers) => post(flowUrl(IN_MEMORY, flow), body, headers),
    deliver: (body, headers, tenant) => post(webhookUrl(IN_MEMORY, tenant), body, headers),
    settled: async () => (await opened)?.settled(),
    async mint(options) {
      await host();
      return app.tokens.mint(options);
    },
    refusal() {
      const found = refused && describeViolations(refused.violations);
      refused = undefined;
      return found;
    },
    close: async () => (await opened)?.close(),
  };
}

function flowUrl(base: string, flow: string): string {
  return `${base.replace(/\/+$/, '')}/flows/${flow}`;
}

function webhookUrl(base: string, tenant?: string): string {
  return `${base.replace(/\/+$/, '')}/webhook${tenant === undefined ? '' : `/${tenant}`}`;
}

async function toWireReply(response: Response): Promise<WireReply> {
  return { status: response.status, contentType: response.headers.get('content-type'), body: await response.text() };
}

let keys: Promise<{ publicKey: string; privateKey: string }> | undefined;

/** One key pair a process: making one takes up to half a second. */
function testKeys(): Promise<{ publicKey: string; privateKey: string }> {
  keys ??= promisify(generateKeyPair)('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  return keys;
}
