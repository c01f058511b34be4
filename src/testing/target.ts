/** Where a phone sends its requests: an app in this process, or a server. */
import { generateKeyPair, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { APP, type App, isApp } from '../app.ts';
import { loadSettings, type SettingOverrides, withOverrides } from '../config/settings.ts';
import { type FlowHost, openHost } from '../service.ts';

/** A running server, and what a business knows of it. */
export interface ServerTarget {
  /** `http://127.0.0.1:3000`: Flows are under `/flows/<name>`. */
  readonly url: string;
  /** SPKI PEM; a function is asked again after a 421, as the real client downloads the key again. */
  readonly publicKey: string | (() => string | Promise<string>);
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
  close(): Promise<void>;
}

/** @param settings for an app in this process: beats the test's own key, secret, one worker and silent log. */
export function toTarget(target: App | ServerTarget, settings: SettingOverrides): Target {
  return isApp(target) ? inMemory(target, settings) : overHttp(target);
}

function overHttp({ url, publicKey, appSecret }: ServerTarget): Target {
  return {
    appSecret,
    publicKey: async () => (typeof publicKey === 'string' ? publicKey : publicKey()),
    post: async (flow, body, headers) =>
      toWireReply(await fetch(flowUrl(url, flow), { method: 'POST', headers, body })),
    close: async () => {},
  };
}

function inMemory(app: App, settings: SettingOverrides): Target {
  const appSecret = randomBytes(16).toString('hex');
  let opened: Promise<FlowHost> | undefined;
  const open = async () => {
    const { privateKey } = await testKeys();
    const quiet = withOverrides({ WORKERS: 1, LOG_LEVEL: 'silent' }, {});
    const wanted = withOverrides({ ...app[APP].settings, ...settings }, quiet);
    // Last, so that they win: an app's real secrets have no place in a test.
    return openHost(app[APP], {
      settings: loadSettings(withOverrides({ APP_SECRET: appSecret, PRIVATE_KEY: privateKey }, wanted)),
    });
  };
  return {
    appSecret,
    publicKey: async () => (await testKeys()).publicKey,
    async post(flow, body, headers) {
      opened ??= open();
      const request = new Request(flowUrl('http://in.memory', flow), { method: 'POST', headers, body });
      return toWireReply(await (await opened).fetch(request));
    },
    close: async () => (await opened)?.close(),
  };
}

function flowUrl(base: string, flow: string): string {
  return `${base.replace(/\/+$/, '')}/flows/${flow}`;
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
