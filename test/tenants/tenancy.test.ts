import { expect, test, vi } from 'vitest';
import { toAppSecrets } from '../../src/http/signature.ts';
import type { FlowCredentials } from '../../src/tenants/credentials.ts';
import { Tenancy } from '../../src/tenants/tenancy.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { keyPair } from '../support/keys.ts';
import { silentLog } from '../support/log.ts';

const handler = () => ({ status: 200 });

function open(flows: Record<string, FlowCredentials>, provider?: () => undefined) {
  const named = Object.entries(flows).map(([name, credentials]) => ({ name, credentials }));
  const byName = new Map(named.map((flow) => [flow.name, flow]));
  const [clock, appSecrets] = [new FakeClock(), toAppSecrets(['own', 'own before'])];
  const tenancy = new Tenancy({ flows: byName, provider, appSecrets, clock, log: silentLog });
  const flow = (name: string) => ({ name, credentials: flows[name] ?? {} });
  return { tenancy, flow };
}

test('a Flow without credentials is the settings’, one with them is its own', () => {
  const { tenancy, flow } = open({ booking: {}, survey: { appSecret: 'a', keys: keyPair.privateKey, tenant: 'acme' } });
  expect(tenancy.ownerOf(flow('booking'))).toBeUndefined();
  expect(tenancy.ownerOf(flow('survey'))).toMatchObject({ name: 'acme', keys: [{}] });
});

test('every mistake in every Flow is in one message', () => {
  const flows = { booking: { appSecret: undefined }, survey: { keys: 'no PEM' }, order: {}, poll: { appSecret: 'a' } };
  const mistakes = [
    'flow booking: appSecret must be a text, or a list of texts, and none may be blank: is its variable set?',
    'flow survey: keys: key 1 holds no PEM key: expected a "-----BEGIN PRIVATE KEY-----" block',
  ];
  expect(() => open(flows)).toThrow(
    expect.objectContaining({ code: 'SETTINGS_INVALID', message: mistakes.join('; ') }),
  );
});

test('a webhook may be signed by the settings’ business and by that of each Flow, each secret tried once', () => {
  const { tenancy } = open({
    a: { appSecret: ['x', 'own'] },
    b: { appSecret: 'x' },
    c: { keys: keyPair.privateKey },
    d: {},
  });
  expect(tenancy.webhookSecrets.map((secret) => secret.export().toString())).toEqual(['own', 'own before', 'x']);
});

test('without a provider no tenant is served; with one, under every path but that of a Flow with an owner', () => {
  const alone = open({ booking: {} });
  expect(alone.tenancy.under(handler, alone.flow('booking'))).toBeUndefined();
  expect(alone.tenancy.under(handler)).toBeUndefined();
  const { tenancy, flow } = open({ booking: {}, survey: { appSecret: 'a' } }, () => undefined);
  expect(tenancy.under(handler, flow('booking'))).toBeTypeOf('function');
  expect(tenancy.under(handler, flow('survey'))).toBeUndefined();
  expect(tenancy.under(handler)).toBeTypeOf('function');
});

test('closing it ends the lookups that run', () => {
  const provider = vi.fn((_: string, { signal }: { signal: AbortSignal }) => new Promise<undefined>(() => signal));
  const { tenancy } = open({}, provider as never);
  const find = tenancy.under((_, findTenant) => {
    void Promise.resolve(findTenant?.()).catch(() => {});
    return { status: 200 };
  });
  void find?.('acme')({} as never);
  tenancy.close();
  expect(provider.mock.calls[0]?.[1].signal.aborted).toBe(true);
  open({}).tenancy.close(); // nothing to end
});
