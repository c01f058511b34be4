import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createApp } from '../../../src/app.ts';
import type { Clock } from '../../../src/clock.ts';
import type { FlowJson } from '../../../src/flows/flow-json.ts';
import type { AppReport } from '../../../src/playground/api.ts';
import {
  MAX_CALL_BYTES,
  MAX_ENVELOPE_BYTES,
  MAX_FILE_NAME_CHARS,
  MAX_WEBHOOK_BYTES,
} from '../../../src/playground/calls.ts';
import { MAX_FILE_BYTES } from '../../../src/playground/cdn.ts';
import { silentLog } from '../../support/log.ts';
import { MemoryState } from '../../support/memory-state.ts';
import { RawClient, requestText } from '../../support/raw-http.ts';
import { startTestService } from '../../support/service.ts';
import { TestPlayground } from './support/playground.ts';

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const app = createApp();
app.flow('plain').init((c) => c.screen('A', {}));
app
  .flow('odd', {
    json: {
      version: '7.3',
      data_api_version: '4.0',
      routing_model: { A: [] },
      screens: [{ id: 'A', title: '<script>alert(1)</script>', layout: { children: [{ type: 'NoSuchThing' }] } }],
    } as object as FlowJson,
  })
  .init((c) => c.screen('A', {}))
  .completed(() => {});

let playground: TestPlayground;
let adminUrl = '';
beforeAll(async () => {
  playground = await TestPlayground.start(app);
  ({ adminUrl } = playground.service);
});
afterAll(() => playground.service.close());

const port = () => Number(new URL(adminUrl).port);
const secured = (response: Response) => {
  expect(response.headers.get('content-security-policy')).toBe(POLICY);
  expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  expect(response.headers.get('referrer-policy')).toBe('no-referrer');
  expect(response.headers.get('cross-origin-resource-policy')).toBe('same-origin');
};

describe('the page', () => {
  test('is at /playground/, and /playground leads there', async () => {
    const moved = await fetch(`${adminUrl}/playground`, { redirect: 'manual' });
    expect([moved.status, moved.headers.get('location')]).toEqual([302, '/playground/']);
    secured(moved);
    const page = await fetch(`${adminUrl}/playground/`);
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(await page.text()).toContain('<div id="page">');
    expect(page.headers.get('cache-control')).toBe('no-cache');
    secured(page);
  });

  test('has assets of the right type, which may be cached for good', async () => {
    const assets = readdirSync(new URL('../../../dist/playground/assets/', import.meta.url));
    expect(assets.length).toBeGreaterThan(1);
    const types: Record<string, string> = { js: 'text/javascript', css: 'text/css', svg: 'image/svg+xml' };
    for (const name of assets) {
      const asset = await fetch(`${adminUrl}/playground/assets/${name}`);
      expect(asset.headers.get('content-type'), name).toContain(types[name.split('.').at(-1) ?? ''] ?? 'no type');
      expect(asset.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
      secured(asset);
      await asset.arrayBuffer();
    }
  });

  test('is small', () => {
    const directory = new URL('../../../dist/playground/assets/', import.meta.url);
    const sizes = readdirSync(directory).map((name) => gzipSync(readFileSync(new URL(name, directory))).length);
    expect(sizes.reduce((sum, bytes) => sum + bytes)).toBeLessThan(150_000);
  });

  test.each([
    '/playground/../package.json',
    '/playground/assets/../../cli/main.js',
    '/playground/assets/%2e%2e/%2e%2e/cli/main.js',
    '/playground/assets/..%2f..%2fcli%2fmain.js',
    '/playground//etc/passwd',
    '/playground/playground.js',
    '/playground/routes.js',
    '/playground/assets/',
    '/playgroundx',
  ])('is all that is served: not %s', async (path) => {
    using client = await RawClient.connect(port());
    client.send(requestText(`GET ${path}`));
    expect(await client.response()).toMatchObject({ status: 404, body: '' });
  });

  test('answers HEAD, and no POST', async () => {
    expect((await fetch(`${adminUrl}/playground/`, { method: 'HEAD' })).status).toBe(200);
    expect((await fetch(`${adminUrl}/playground/`, { method: 'POST' })).status).toBe(405);
  });

  test('is not there when the app is served for others', async () => {
    const openState = async ({ clock }: { clock: Clock }) => new MemoryState(clock);
    await using service = await startTestService(app, {}, silentLog, { openState });
    for (const path of ['/playground', '/playground/', '/playground/api/app', '/playground/api/inbox']) {
      expect((await fetch(service.adminUrl + path)).status).toBe(404);
    }
  });

  test('is not on the public port', async () => {
    expect((await fetch(`${playground.service.url}/playground/`)).status).toBe(404);
    expect((await fetch(`${playground.service.url}/playground/api/app`)).status).toBe(404);
  });

  test('leaves the rest of the admin port as it is', async () => {
    expect((await fetch(`${adminUrl}/metrics`)).status).toBe(200);
    expect((await fetch(`${adminUrl}/inbox`)).status).toBe(200);
  });
});

describe('a call', () => {
  test('tells of the app, what is wrong with its Flows, and where they are served', async () => {
    const report = await playground.get<AppReport>('app');
    expect(report.publicUrl).toBe(playground.service.url);
    expect(report.bootId).toMatch(/^[\da-f-]{36}$/);
    expect(report.failure).toBeUndefined();
    const [plain, odd] = report.flows;
    expect(plain).toEqual({ name: 'plain', problems: [], hasCompleted: false });
    expect(odd).toMatchObject({ name: 'odd', hasCompleted: true, json: { screens: [{ id: 'A' }] } });
    expect(odd?.problems.map(({ rule }) => rule)).toContain('component-unknown');
  });

  test('is another server to the page after a restart', async () => {
    await using other = await TestPlayground.start(app);
    const [first, second] = [await playground.get<AppReport>('app'), await other.get<AppReport>('app')];
    expect(second.bootId).not.toBe(first.bootId);
  });

  test('is never cached, and no other origin may read it', async () => {
    const response = await fetch(`${playground.api}app`, { headers: { Origin: 'https://evil.example' } });
    secured(response);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
    const preflight = { 'Access-Control-Request-Headers': 'x-playground', 'Access-Control-Request-Method': 'POST' };
    const asked = await fetch(`${playground.api}token`, { method: 'OPTIONS', headers: preflight });
    expect([asked.status, asked.headers.get('access-control-allow-headers')]).toEqual([405, null]);
  });

  test.each(['/playground', '/playground/', '/playground/api/app', '/playground/api/public-key'])(
    'under another name than this machine’s is refused: %s',
    async (path) => {
      using client = await RawClient.connect(port());
      client.send(requestText(`GET ${path}`).replace('Host: localhost', 'Host: evil.example'));
      expect(await client.response()).toMatchObject({
        status: 403,
        body: expect.stringContaining('flowgate dev printed'),
      });
    },
  );

  test.each(['token', 'token-signature', 'webhook', 'media?name=a', 'exchange/plain'])(
    'that is a POST needs the header no other page can send: %s',
    async (call) => {
      for (const headers of [{}, { 'X-Playground': '' }, { 'X-Playground': '0' }]) {
        const response = await fetch(playground.api + call, { method: 'POST', headers, body: '{}' });
        expect([response.status, await response.json()]).toEqual([
          403,
          { error: 'a POST must carry the header X-Playground: 1' },
        ]);
      }
    },
  );

  test.each([
    ['nope', 404, 'there is no such call'],
    ['', 404, 'there is no such call'],
    ['__proto__', 404, 'there is no such call'],
    ['token', 405, 'this call is a POST'],
  ])('that is none is answered with a sentence: GET %s', async (call, status, sentence) => {
    const response = await fetch(playground.api + call);
    expect([response.status, await response.json()]).toEqual([status, { error: expect.stringContaining(sentence) }]);
  });

  test.each<[string, object | string, string]>([
    ['token', 'not JSON', 'the body must be a JSON object'],
    ['token', '[]', 'the body must be a JSON object'],
    ['token', {}, 'flow must be a text of 1 to 256 characters'],
    ['token', { flow: 'plain', user: '' }, 'user must be a text of 1 to 256 characters'],
    ['token', { flow: 'plain', user: 'x'.repeat(257) }, 'user must be a text of 1 to 256 characters'],
    ['token', { flow: 'plain', user: 'ada', singleUse: 1 }, 'singleUse must be true or false'],
    ['token-signature', { token: 7 }, 'token must be a text'],
    ['webhook', {}, 'kind must be completion, text or alert'],
    ['webhook', { kind: 'text', text: 'x'.repeat(4_097) }, 'text must be a text of 1 to 4096 characters'],
    ['webhook', { kind: 'completion', flow: 'plain', token: 't', params: [] }, 'params must be an object'],
    ['webhook', { kind: 'alert', alert: '__proto__', isActive: true }, 'alert must be one of client_error_rate'],
    ['webhook', { kind: 'alert', alert: 'endpoint_latency', isActive: 'yes' }, 'isActive must be true or false'],
    ['media', 'x', `name must be a text of 1 to ${MAX_FILE_NAME_CHARS} characters`],
    [`media?name=${'x'.repeat(MAX_FILE_NAME_CHARS + 1)}`, 'x', 'name must be a text of 1 to'],
  ])('with what it cannot use is answered with a sentence: %s, %#', async (call, body, sentence) => {
    const response = await playground.postRaw(call, body);
    expect([response.status, await response.json()]).toEqual([400, { error: expect.stringContaining(sentence) }]);
  });

  test('with parameters that nest deeper than JSON can be written is answered with a sentence', async () => {
    const params = `${'{"a":'.repeat(40_000)}1${'}'.repeat(40_000)}`;
    const body = `{"kind":"completion","flow":"plain","token":"t","params":${params}}`;
    const response = await playground.postRaw('webhook', body);
    expect([response.status, await response.json()]).toEqual([
      400,
      { error: expect.stringContaining('nest too deep') },
    ]);
  });

  test.each(['token', 'exchange/nope', 'exchange/', 'exchange/plain/acme', 'exchange/%E0%A4%A'])(
    'for a Flow that the app does not have is answered with a sentence: %s',
    async (call) => {
      const response = await playground.postRaw(call, { flow: 'nope', user: 'ada' });
      expect([response.status, await response.json()]).toEqual([404, { error: 'the app has no Flow of this name' }]);
    },
  );

  test.each([
    ['token', MAX_CALL_BYTES],
    ['token-signature', MAX_CALL_BYTES],
    ['webhook', MAX_WEBHOOK_BYTES],
    ['exchange/plain', MAX_ENVELOPE_BYTES],
    ['media?name=a', MAX_FILE_BYTES],
  ])('takes a body up to its bound, and tells when there is more: %s', async (call, maxBytes) => {
    expect((await playground.postRaw(call, new Uint8Array(maxBytes))).status).not.toBe(413);
    const response = await playground.postRaw(call, new Uint8Array(maxBytes + 1));
    expect([response.status, await response.json()]).toEqual([
      413,
      { error: expect.stringContaining(String(maxBytes)) },
    ]);
  });
});
