import { expect, test, vi } from 'vitest';
import { toAppSecrets } from '../../src/http/signature.ts';
import type { FlowCredentials } from '../../src/tenants/credentials.ts';
import type { TenantProvider } from '../../src/tenants/lookup.ts';
import { Tenancy, type TenancyOptions } from '../../src/tenants/tenancy.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { keyPair } from '../support/keys.ts';
import { silentLog } from '../support/log.ts';

const handler = () => ({ status: 200 });

function open(
  flows: Record<string, FlowCredentials>,
  provider?: TenantProvider,
  role: Partial<Pick<TenancyOptions, 'appSecrets' | 'isSending'>> = {},
) {
  const named = Object.entries(flows).map(([name, credentials]) => ({ name, credentials }));
  const byName = new Map(named.map((flow) => [flow.name, flow]));
  const [clock, appSecrets] = [new FakeClock(), toAppSecrets(['own', 'own before'])];
  const tenancy = new Tenancy({ flows: byName, provider, appSecrets, isSending: true, clock, log: silentLog, ...role });
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
  expect(
    tenancy.webhookSecrets(toAppSecrets(['own', 'own before'])).map((secret) => secret.export().toString()),
  ).toEqual(['own', 'own before', 'x']);
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
  const find = tenancy.under((_, source) => {
    void Promise.resolve(source?.find()).catch(() => {});
    return { status: 200 };
  });
  void find?.('acme')({} as never);
  tenancy.close();
  expect(provider.mock.calls[0]?.[1].signal.aborted).toBe(true);
  open({}).tenancy.close(); // nothing to end
});

test('a business sends as itself: a tenant as its provider tells, a Flow’s as its options tell', async () => {
  const acme = { appSecret: 'a', keys: keyPair.privateKey, graphToken: 'ofAcme', phoneNumberId: '1' };
  const provider = vi.fn((name: string) => (name === 'acme' ? acme : undefined));
  const { tenancy } = open({ acme: { graphToken: 'ofTheFlow' }, named: { tenant: 'globex' } }, provider);
  const find = async (kind: 'tenant' | 'flow', name: string) => {
    const { graphToken, phoneNumberId } = await tenancy.findSender({ kind, name });
    return [graphToken, phoneNumberId];
  };
  expect(await find('flow', 'acme')).toEqual(['ofTheFlow', undefined]);
  expect(await find('flow', 'named')).toEqual([undefined, undefined]);
  expect(provider).not.toHaveBeenCalled();
  expect(await find('tenant', 'acme')).toEqual(['ofAcme', '1']);
  for (const [kind, name] of [
    ['tenant', 'globex'],
    ['flow', 'gone'],
  ] as const)
    await expect(find(kind, name)).rejects.toMatchObject({ code: 'TENANT_UNKNOWN' });
  const without = open({}).tenancy;
  expect(() => without.findSender({ kind: 'tenant', name: 'acme' })).toThrow(
    expect.objectContaining({ code: 'TENANT_UNKNOWN' }),
  );
});

test('a tenant whose request was answered is not asked for again to send as it, and the other way round', async () => {
  const provider = vi.fn(() => ({ appSecret: 'a', keys: keyPair.privateKey }));
  const { tenancy } = open({}, provider);
  const answered = tenancy.under(async (_, source) => ({ status: 200, body: `${(await source?.find())?.name}` }));
  expect(await answered?.('acme')({} as never)).toEqual({ status: 200, body: 'acme' });
  await tenancy.findSender({ kind: 'tenant', name: 'acme' });
  await tenancy.findSender({ kind: 'tenant', name: 'globex' });
  await answered?.('globex')({} as never);
  expect(provider).toHaveBeenCalledTimes(2);
});

test('a worker needs no secret of a Flow, a process that only answers no token of one', () => {
  const survey = { appSecret: undefined, keys: undefined, graphToken: 'EAA' };
  const worker = open({ survey }, undefined, { appSecrets: undefined }).tenancy;
  expect(worker.findSender({ kind: 'flow', name: 'survey' })).toMatchObject({ graphToken: 'EAA' });
  const flows = { survey: { appSecret: 'a', graphToken: undefined } };
  expect(
    open(flows, undefined, { isSending: false }).tenancy.ownerOf({ name: 'survey', credentials: {} }),
  ).toBeDefined();
  expect(() => open(flows)).toThrow('flow survey: graphToken must be a text: is its variable set?');
  expect(() => open({ survey: { appSecret: undefined, graphToken: undefined } })).toThrow(
    /^flow survey: appSecret .*; flow survey: graphToken /,
  );
});
