import { generateKeyPairSync } from 'node:crypto';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FlowgateError } from '../../src/errors.ts';
import { toAppSecrets } from '../../src/http/signature.ts';
import {
  type FlowCredentials,
  flowSender,
  flowTenant,
  hasCredentials,
  isOfAnother,
  toTenant,
} from '../../src/tenants/credentials.ts';
import type { Tenant } from '../../src/tenants/tenant.ts';
import { keyPair, makeKeyPair, toKeyRing } from '../support/keys.ts';

const other = makeKeyPair();
const [fingerprint, otherFingerprint] = [keyPair, other].map((pair) => toKeyRing(pair)[0].fingerprint);
const SECRET = 'SECRETSECRET';
const encrypted = (passphrase: string) =>
  generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase },
  }).privateKey;

const secretsOf = ({ appSecrets }: Tenant) => appSecrets.map((secret) => secret.export().toString());
const fingerprintsOf = ({ keys }: Tenant) => keys?.map((key) => key.fingerprint);

function mistakeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    expect(error).toMatchObject({ name: 'FlowgateError', code: 'SETTINGS_INVALID' });
    return (error as Error).message;
  }
  throw new Error('nothing was wrong');
}

describe('the credentials of a tenant', () => {
  test('are one secret and one key, or several of each, newest first', () => {
    const one = toTenant('acme', { appSecret: 'a', keys: keyPair.privateKey });
    expect([one.name, secretsOf(one), fingerprintsOf(one), one.verifyToken]).toEqual([
      'acme',
      ['a'],
      [fingerprint],
      undefined,
    ]);
    const two = toTenant('acme', {
      appSecret: ['new', 'old'],
      keys: [other.privateKey, keyPair.privateKey],
      verifyToken: 'v',
    });
    expect([secretsOf(two), fingerprintsOf(two), two.verifyToken]).toEqual([
      ['new', 'old'],
      [otherFingerprint, fingerprint],
      'v',
    ]);
  });

  test('may come with the blanks of a file, the escapes of a variable, and the nulls of a database', () => {
    const given = {
      appSecret: ' a\n',
      keys: keyPair.privateKey.replaceAll('\n', '\\n'),
      passphrase: null,
      verifyToken: null,
    };
    const tenant = toTenant('acme', given as never);
    expect([secretsOf(tenant), fingerprintsOf(tenant)]).toEqual([['a'], [fingerprint]]);
  });

  test('tell as whom it sends, and show the token to nobody who looks at the whole', () => {
    const given = { appSecret: 'a', keys: keyPair.privateKey, graphToken: ` ${SECRET}\n`, phoneNumberId: '42' };
    const tenant = toTenant('acme', given);
    expect([tenant.sender?.graphToken, tenant.sender?.phoneNumberId]).toEqual([SECRET, '42']);
    expect(JSON.stringify(tenant) + inspect(tenant, { depth: 9, showHidden: true })).not.toContain(SECRET);
    expect(JSON.stringify({ ...tenant.sender })).toBe('{"phoneNumberId":"42"}');
    const without = toTenant('acme', { appSecret: 'a', keys: keyPair.privateKey, graphToken: null } as never).sender;
    expect([without?.graphToken, without?.phoneNumberId]).toEqual([undefined, undefined]);
  });

  test('open an encrypted key with its passphrase', () => {
    const pem = encrypted('open');
    expect(toTenant('acme', { appSecret: 'a', keys: pem, passphrase: 'open' }).keys).toHaveLength(1);
    expect(mistakeOf(() => toTenant('acme', { appSecret: 'a', keys: pem }))).toBe(
      'tenant acme: keys: one is encrypted: give its passphrase',
    );
    expect(mistakeOf(() => toTenant('acme', { appSecret: 'a', keys: pem, passphrase: 'wrong' }))).toContain(
      'key 1 cannot',
    );
  });

  test.each<[string, object, string]>([
    [
      'nothing',
      {},
      'tenant acme: appSecret must be a text, or a list of texts, and none may be blank: is its variable set?; keys must be a text, or a list of texts, and none may be blank: is its variable set?',
    ],
    ['a blank secret', { appSecret: ' ' }, 'appSecret must be a text, or a list of texts, and none may be blank'],
    ['a blank among secrets', { appSecret: ['a', ''] }, 'appSecret must be'],
    ['no secrets', { appSecret: [] }, 'appSecret must be'],
    ['a number', { appSecret: 42 }, 'appSecret must be'],
    ['nine secrets', { appSecret: Array(9).fill('a') }, 'appSecret: at most 8 are held'],
    ['no keys', { keys: [] }, 'keys must be'],
    ['a path', { keys: '/keys/acme.pem' }, 'keys: key 1 holds no PEM key'],
    ['a public key', { keys: keyPair.publicKey }, 'keys: key 1 is a public key'],
    [
      'a short key',
      { keys: [keyPair.privateKey, makeKeyPair(1024).privateKey] },
      'keys: key 2 is an RSA key of 1024 bits',
    ],
    ['a cut key', { keys: keyPair.privateKey.slice(0, 500) }, 'keys: key 1 is cut short'],
    ['a verify token that is none', { verifyToken: {} }, 'verifyToken must be a text'],
    ['a blank verify token', { verifyToken: '' }, 'verifyToken must be a text'],
    ['a passphrase that is none', { passphrase: 1 }, 'passphrase must be a text'],
    ...['', ' ', 'a b', 'a\nb', 'a\r\nX-Header: b', 'tökén', '\u0000', 42, {}, ['EAA']].map(
      (graphToken): [string, object, string] => [
        `the token ${JSON.stringify(graphToken)}`,
        { graphToken },
        'tenant acme: graphToken must be a text of printable ASCII without spaces',
      ],
    ),
    ...['', '+49', '1/2', '1'.repeat(33), 42, '٤٢'].map((phoneNumberId): [string, object, string] => [
      `the number ${JSON.stringify(phoneNumberId)}`,
      { phoneNumberId },
      'tenant acme: phoneNumberId must be a text of digits, as Meta tells it',
    ]),
  ])('that are wrong are refused, telling where: %s', (_, wrong, message) => {
    const right = { appSecret: 'a', keys: keyPair.privateKey };
    const given = Object.keys(wrong).length === 0 ? {} : { ...right, ...wrong };
    expect(mistakeOf(() => toTenant('acme', given as never))).toContain(message);
  });

  test('whatever is given, it is taken or refused with every mistake, and no secret in the message', () => {
    const secrets = [SECRET, `${SECRET} ${SECRET}`, [SECRET, SECRET], []].map((value) => fc.constant(value));
    const anything = fc.oneof(...secrets, fc.anything());
    const fields = ['appSecret', 'keys', 'passphrase', 'verifyToken', 'graphToken', 'phoneNumberId'];
    const given = fc.record(Object.fromEntries(fields.map((field) => [field, anything])), { requiredKeys: [] });
    fc.assert(
      fc.property(given, (credentials) => {
        try {
          toTenant('acme', credentials as never);
        } catch (error) {
          expect(error).toBeInstanceOf(FlowgateError);
          expect((error as Error).message).toMatch(/^tenant acme: \S/);
          expect((error as Error).message).not.toContain(SECRET);
        }
      }),
    );
  });
});

describe('the credentials of a Flow', () => {
  const owner: Tenant = { name: undefined, appSecrets: toAppSecrets(['own']), keys: undefined, verifyToken: 'v' };

  test('are its own where it has them, and the settings’ where it does not', () => {
    const both = flowTenant('booking', { appSecret: 'a', keys: keyPair.privateKey, tenant: 'acme' }, owner);
    expect([both.name, secretsOf(both), fingerprintsOf(both)]).toEqual(['acme', ['a'], [fingerprint]]);
    const secretAlone = flowTenant('booking', { appSecret: 'a' }, owner);
    expect([secretAlone.name, secretsOf(secretAlone), secretAlone.keys]).toEqual([undefined, ['a'], undefined]);
    const keysAlone = flowTenant('booking', { keys: keyPair.privateKey }, owner);
    expect([secretsOf(keysAlone), fingerprintsOf(keysAlone)]).toEqual([['own'], [fingerprint]]);
  });

  test.each<[FlowCredentials, string]>([
    [
      { appSecret: undefined },
      'flow booking: appSecret must be a text, or a list of texts, and none may be blank: is its variable set?',
    ],
    [{ appSecret: 'a', keys: undefined }, 'flow booking: keys must be a text'],
    [{ tenant: 'Acme Inc.' }, 'flow booking: tenant takes lower-case letters, digits and hyphens, up to 64'],
    [{ tenant: '' }, 'flow booking: tenant must be a text'],
  ])('that are there and unset never become the settings’: %j', (given, message) => {
    expect(mistakeOf(() => flowTenant('booking', given, owner))).toContain(message);
  });

  test('are told apart from options that give nothing', () => {
    expect(hasCredentials({})).toBe(false);
    for (const field of ['appSecret', 'keys', 'passphrase', 'tenant', 'graphToken', 'phoneNumberId'])
      expect(hasCredentials({ [field]: undefined })).toBe(true);
  });

  test('are another business’s, but for one more key of the settings’ own', () => {
    expect(isOfAnother({})).toBe(false);
    for (const field of ['keys', 'passphrase']) expect(isOfAnother({ [field]: 'x' })).toBe(false);
    for (const field of ['appSecret', 'tenant', 'graphToken', 'phoneNumberId'])
      expect(isOfAnother({ [field]: 'x' })).toBe(true);
  });

  test('tell as whom it sends; a token that is there and unset never becomes the settings’', () => {
    const own = flowSender('booking', { graphToken: 'EAA', phoneNumberId: '42', appSecret: undefined });
    expect([own.graphToken, own.phoneNumberId]).toEqual(['EAA', '42']);
    expect(flowSender('booking', { tenant: 'acme', phoneNumberId: undefined }).graphToken).toBeUndefined();
    expect(mistakeOf(() => flowSender('booking', { graphToken: undefined, phoneNumberId: 'x' }))).toBe(
      'flow booking: graphToken must be a text: is its variable set?; phoneNumberId must be a text of digits, as Meta tells it',
    );
    expect(mistakeOf(() => flowSender('booking', { graphToken: 'a b' }))).toBe(
      'flow booking: graphToken must be a text of printable ASCII without spaces',
    );
  });
});
