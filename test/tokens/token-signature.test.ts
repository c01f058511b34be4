import { createHmac, generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toAppSecrets } from '../../src/http/signature.ts';
import { MAX_SIGNATURE_CHARS, type SignatureMode, verifyTokenSignature } from '../../src/tokens/token-signature.ts';
import { FakeClock } from '../support/fake-clock.ts';

const NEW_SECRET = '0123456789abcdef0123456789abcdef';
const OLD_SECRET = 'fedcba9876543210fedcba9876543210';
const token = 'booking:8f3a';
const clock = new FakeClock();
const nowS = clock.epochMs() / 1_000;
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A JWT by hand, so that a test can make any. */
function jwt(claims: unknown, { secret = NEW_SECRET, header = {} as object, hash = 'sha256' } = {}): string {
  const signed = `${encode({ alg: 'HS256', typ: 'JWT', ...header })}.${encode(claims)}`;
  return `${signed}.${createHmac(hash, secret).update(signed).digest('base64url')}`;
}

interface Given {
  readonly mode?: SignatureMode;
  readonly secrets?: readonly [string, ...string[]];
  readonly hasToken?: boolean;
}

function verify(
  tokenSignature: string | undefined,
  { mode = 'optional', secrets = [NEW_SECRET], hasToken = true }: Given = {},
) {
  const request = { token: hasToken ? token : undefined, tokenSignature };
  return verifyTokenSignature(request, mode, { secrets: toAppSecrets(secrets), clock });
}

const verified = { ok: true, state: 'verified' };
const refused = (reason: string) => ({ ok: false, reason });

test.each(['optional', 'required'] as const)('verifies a token that Meta signed, %s', async (mode) => {
  expect(await verify(jwt({ flow_token: token }), { mode })).toEqual(verified);
});

test('one that is absent passes where it is optional, and is missing where it is required', async () => {
  expect(await verify(undefined)).toEqual({ ok: true, state: 'absent' });
  expect(await verify(undefined, { mode: 'required' })).toEqual(refused('missing'));
});

test('takes either secret while one is being reset, and no other', async () => {
  const secrets: [string, string] = [NEW_SECRET, OLD_SECRET];
  for (const secret of secrets)
    expect(await verify(jwt({ flow_token: token }, { secret }), { secrets })).toEqual(verified);
  expect(await verify(jwt({ flow_token: token }, { secret: 'x'.repeat(32) }), { secrets })).toEqual(refused('forged'));
  expect(await verify(jwt({ flow_token: token }, { secret: OLD_SECRET }))).toEqual(refused('forged'));
});

test('works with a secret shorter than the hash', async () => {
  expect(await verify(jwt({ flow_token: token }, { secret: 'short' }), { secrets: ['short'] })).toEqual(verified);
});

describe('the algorithm is HS256, whatever the header says', () => {
  const signedBy = (header: object, signature: string) =>
    `${encode(header)}.${encode({ flow_token: token })}.${signature}`;

  test.each(['none', 'None', 'NONE', ''])('alg %j', async (alg) => {
    expect(await verify(signedBy({ alg }, ''))).toEqual(refused('malformed'));
    expect(await verify(jwt({ flow_token: token }, { header: { alg } }))).toEqual(refused('malformed'));
  });

  test.each([
    ['HS512', 'sha512'],
    ['HS384', 'sha384'],
    ['HS256', 'sha512'],
    ['RS256', 'sha256'],
  ])('alg %s made with %s', async (alg, hash) => {
    const verdict = await verify(jwt({ flow_token: token }, { header: { alg }, hash }));
    expect(verdict).toMatchObject({ ok: false });
  });

  test('a public key as the secret of an RS256 verifier is no way in', async () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
    const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    expect(await verify(jwt({ flow_token: token }, { header: { alg: 'RS256' }, secret: pem }))).toMatchObject({
      ok: false,
    });
  });

  test.each([{ crit: ['exp'] }, { crit: ['b64'], b64: false }])('a header that demands %j', async (header) => {
    expect(await verify(jwt({ flow_token: token }, { header }))).toEqual(refused('malformed'));
  });

  test('a header that brings its own key', async () => {
    const jwk = { kty: 'oct', k: Buffer.from('mine').toString('base64url') };
    expect(await verify(jwt({ flow_token: token }, { secret: 'mine', header: { jwk } }))).toEqual(refused('forged'));
  });
});

describe('the flow token is among the claims', () => {
  test.each<[string, unknown]>([
    ['under any name', { iss: 'meta', whatever: token }],
    ['one level down', { data: { n: 1, token } }],
    ['in a list', { aud: ['x', token] }],
    ['beside a key __proto__', JSON.parse(`{"__proto__":{"a":1},"t":"${token}"}`)],
  ])('%s', async (_, claims) => {
    expect(await verify(jwt(claims))).toEqual(verified);
  });

  test.each<[string, unknown]>([
    ['not at all', { flow_token: 'booking:other' }],
    ['no claim at all', {}],
    ['only as a part of one', { flow_token: `${token}x`, a: `x${token}`, b: token.toUpperCase() }],
    ['only as a name', { [token]: 'x' }],
    ['only two levels down', { a: { b: { c: token } } }],
  ])('%s: signed for another token', async (_, claims) => {
    expect(await verify(jwt(claims))).toEqual(refused('other_token'));
  });

  test('a request without a token is not the one that was signed', async () => {
    expect(await verify(jwt({ flow_token: token }), { hasToken: false })).toEqual(refused('other_token'));
    expect(await verify(jwt({ flow_token: null, a: 'undefined' }), { hasToken: false })).toEqual(
      refused('other_token'),
    );
  });
});

describe('time', () => {
  test.each<[string, object, unknown]>([
    ['expired 299 s ago', { exp: nowS - 299 }, verified],
    ['expired 300 s ago', { exp: nowS - 300 }, refused('expired')],
    ['begins in 300 s', { nbf: nowS + 300 }, verified],
    ['begins in 301 s', { nbf: nowS + 301 }, refused('expired')],
    ['an end that is no number', { exp: 'never' }, refused('expired')],
    ['made in the future', { iat: nowS + 9_999 }, verified],
  ])('%s', async (_, claims, verdict) => {
    expect(await verify(jwt({ flow_token: token, ...claims }))).toEqual(verdict);
  });
});

describe('bad input', () => {
  test.each(['', '.', '..', 'a.b', 'a.b.c', 'a.b.c.d.e', 'ä.ö.ü', '\0', '{}', `${encode('x')}.${encode('x')}.`])(
    '%j is malformed',
    async (text) => {
      expect(await verify(text)).toEqual(refused('malformed'));
    },
  );

  test.each([[null], [[]], ['text'], [7]])('claims %j are malformed', async (claims) => {
    expect(await verify(jwt(claims))).toEqual(refused('malformed'));
  });

  test('up to 8 KiB are read, and not a character more', async () => {
    const fill = (n: number) => jwt({ flow_token: token, fill: 'x'.repeat(n) });
    const longest = fill(5_800 + Math.floor(((MAX_SIGNATURE_CHARS - fill(5_800).length) * 3) / 4));
    expect(longest.length).toBeLessThanOrEqual(MAX_SIGNATURE_CHARS);
    expect(longest.length).toBeGreaterThan(MAX_SIGNATURE_CHARS - 4);
    expect(await verify(longest)).toEqual(verified);
    expect(await verify(fill(6_200))).toEqual(refused('malformed'));
  });

  test('one character changed anywhere is never verified', async () => {
    const good = jwt({ flow_token: token });
    const change = fc.record({ at: fc.nat(good.length - 1), by: fc.constantFrom(...'AZaz09-_.') });
    await fc.assert(
      fc.asyncProperty(change, async ({ at, by }) => {
        const changed = good.slice(0, at) + by + good.slice(at + 1);
        fc.pre(!isSameBytes(changed, good));
        expect(await verify(changed)).toMatchObject({ ok: false });
      }),
      { numRuns: 300 },
    );
  });

  test('never rejects', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.json().map((claims) => jwt(JSON.parse(claims))),
        ),
        async (text) => {
          expect(await verify(text)).toHaveProperty('ok');
        },
      ),
    );
  });
});

/** The last character of base64url may say the same bytes in several ways. */
function isSameBytes(one: string, other: string): boolean {
  const bytes = (text: string) => text.split('.').map((part) => Buffer.from(part, 'base64url').toString('hex'));
  return bytes(one).join('.') === bytes(other).join('.') && one.split('.').length === other.split('.').length;
}
