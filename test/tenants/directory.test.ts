import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import type { TenantCredentials } from '../../src/tenants/credentials.ts';
import {
  FRUITLESS,
  MAX_LOOKUPS,
  MAX_REFRESHES,
  MAX_STALE_MS,
  MAX_TENANTS,
  MAX_WAITING,
  REFRESH_MS,
  REFRESH_RETRY_MS,
  TenantDirectory,
  UNAVAILABLE_MS,
  UNKNOWN_MS,
} from '../../src/tenants/directory.ts';
import { LOOKUP_TIMEOUT_MS, type TenantProvider } from '../../src/tenants/lookup.ts';
import { MAX_MISSING } from '../../src/tenants/missing.ts';
import type { Tenant } from '../../src/tenants/tenant.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { keyPair, makeKeyPair } from '../support/keys.ts';
import { recordingLog } from '../support/log.ts';

const credentials = (appSecret = 'secret'): TenantCredentials => ({ appSecret, keys: keyPair.privateKey });
const secretOf = (tenant: Tenant) => tenant.appSecrets[0].export().toString();
/** Lets everything run that waits for no timer. */
const flush = () => new Promise((resolve) => setImmediate(resolve));

function setUp(provide: TenantProvider = () => credentials()) {
  const clock = new FakeClock();
  const { log, lines } = recordingLog();
  const provider = vi.fn(provide);
  const directory = new TenantDirectory({ provider, clock, log });
  const find = async (name: string) => directory.find(name);
  /** What a request gets at once, without waiting for the provider. */
  const held = (name: string) => {
    const found = directory.find(name);
    expect(found).not.toBeInstanceOf(Promise);
    return found as Tenant;
  };
  const failureOf = (name: string) =>
    find(name).then(
      () => 'found',
      ({ code }) => code as string,
    );
  return { clock, lines, provider, directory, find, held, failureOf };
}

/** A provider whose answers the test gives. */
function byHand() {
  const asked: {
    name: string;
    signal: AbortSignal;
    answer: (given?: TenantCredentials) => void;
    fail: (why: unknown) => void;
  }[] = [];
  const provide: TenantProvider = (name, { signal }) =>
    new Promise((resolve, reject) => asked.push({ name, signal, answer: resolve, fail: reject }));
  return { asked, provide };
}

describe('a tenant', () => {
  test('is asked for once by a crowd, then held: nobody waits for it', async () => {
    const { asked, provide } = byHand();
    const { find, held, provider } = setUp(provide);
    const crowd = Array.from({ length: 100 }, () => find('acme'));
    expect(provider).toHaveBeenCalledTimes(1);
    asked[0]?.answer(credentials());
    const tenants = await Promise.all(crowd);
    expect(new Set(tenants).size).toBe(1);
    expect(tenants[0]).toMatchObject({ name: 'acme', keys: [{}] });
    expect(held('acme')).toBe(tenants[0]);
    expect(provider).toHaveBeenCalledTimes(1);
  });

  test('may be given at once, without a promise', async () => {
    const { find } = setUp(() => credentials('at once'));
    expect(secretOf(await find('acme'))).toBe('at once');
  });

  test('is asked for again after five minutes, and serves on meanwhile', async () => {
    const { asked, provide } = byHand();
    const { find, held, clock, provider } = setUp(provide);
    const found = find('acme');
    asked[0]?.answer(credentials('old'));
    await found;
    clock.advance(REFRESH_MS - 1);
    expect(secretOf(held('acme'))).toBe('old');
    expect(provider).toHaveBeenCalledTimes(1);
    clock.advance(1);
    for (let i = 0; i < 3; i++) expect(secretOf(held('acme'))).toBe('old');
    expect(provider).toHaveBeenCalledTimes(2);
    asked[1]?.answer(credentials('new'));
    await flush();
    expect(secretOf(held('acme'))).toBe('new');
  });

  test('keeps its keys when it is asked for again and nothing has changed', async () => {
    const { find, held, clock } = setUp();
    const before = await find('acme');
    clock.advance(REFRESH_MS);
    held('acme');
    await flush();
    expect(held('acme')).toBe(before);
    expect(clock.pending).toBe(0);
  });

  test.each<Partial<TenantCredentials>>([
    { keys: makeKeyPair().privateKey },
    { keys: [keyPair.privateKey, makeKeyPair().privateKey] },
    { appSecret: ['new', 'secret'] },
    { verifyToken: 'new' },
    { passphrase: 'new' },
    { graphToken: 'new' },
    { phoneNumberId: '42' },
  ])('serves with whatever has changed: %#', async (change) => {
    let given: TenantCredentials = credentials();
    const { find, held, clock } = setUp(() => given);
    const before = await find('acme');
    given = { ...given, ...change };
    clock.advance(REFRESH_MS);
    held('acme');
    await flush();
    expect(held('acme')).not.toBe(before);
  });

  test('is known without asking anybody while it is held, and that does not count as a use', async () => {
    const { find, directory, clock, provider } = setUp();
    expect(directory.held('acme')).toBeUndefined();
    const acme = await find('acme');
    for (let i = 1; i < MAX_TENANTS; i++) await find(`t${i}`);
    clock.advance(MAX_STALE_MS);
    expect(directory.held('acme')).toBe(acme);
    expect(provider).toHaveBeenCalledTimes(MAX_TENANTS);
    await find('one more');
    expect(directory.held('acme')).toBeUndefined();
  });

  test('that was not asked for in an hour does not serve on what it had: it may have been revoked', async () => {
    const { asked, provide } = byHand();
    const { find, clock, directory } = setUp(provide);
    const found = find('acme');
    asked[0]?.answer(credentials('old'));
    await found;
    clock.advance(MAX_STALE_MS);
    const later = directory.find('acme');
    expect(later).toBeInstanceOf(Promise);
    asked[1]?.answer(credentials('new'));
    expect(secretOf(await later)).toBe('new');
  });

  test('that was not asked for in an hour serves on what it had when the provider fails', async () => {
    let isDown = false;
    const { find, held, clock } = setUp(() => {
      if (isDown) throw new Error('down');
      return credentials();
    });
    const before = await find('acme');
    isDown = true;
    clock.advance(MAX_STALE_MS);
    expect(await find('acme')).toBe(before);
    expect(held('acme')).toBe(before); // not asked again at once
  });

  test('that is no more is unknown from then on', async () => {
    let isThere = true;
    const { find, held, failureOf, clock, directory } = setUp(() => (isThere ? credentials() : undefined));
    await find('acme');
    isThere = false;
    clock.advance(REFRESH_MS);
    held('acme');
    await flush();
    expect(await failureOf('acme')).toBe('TENANT_UNKNOWN');
    expect(directory.size).toBe(0);
  });

  test('whose refresh fails keeps what it had, one line tells of it, and of its end', async () => {
    let fails = 0;
    const { find, held, clock, lines, provider } = setUp(() => {
      if (fails-- > 0) throw new Error('SECRET in a message');
      return credentials();
    });
    const before = await find('acme');
    fails = 3;
    clock.advance(REFRESH_MS);
    for (let attempt = 0; attempt < 3; attempt++) {
      expect(held('acme')).toBe(before);
      await flush();
      clock.advance(REFRESH_RETRY_MS - 1);
      expect(held('acme')).toBe(before);
      expect(provider).toHaveBeenCalledTimes(2 + attempt);
      clock.advance(1);
    }
    expect(lines).toHaveLength(1);
    const why = 'the credentials of a tenant stay as they are: the provider of tenants threw';
    expect(lines[0]).toMatchObject({ level: 50, code: 'TENANT_UNAVAILABLE', tenant: 'acme', msg: why });
    expect(lines[0]?.['stack']).toMatch(/^Error\n {4}at /);
    held('acme');
    await flush();
    expect(lines[1]).toMatchObject({ level: 30, tenant: 'acme' });
    expect(JSON.stringify(lines)).not.toContain('SECRET');
  });

  test('whose new credentials are wrong keeps what it had', async () => {
    let given: unknown = credentials();
    const { find, held, clock, lines } = setUp(() => given as TenantCredentials);
    const before = await find('acme');
    given = { appSecret: 'SECRET', keys: 'SECRET' };
    clock.advance(REFRESH_MS);
    held('acme');
    await flush();
    expect(held('acme')).toBe(before);
    expect(lines[0]?.['msg']).toContain('tenant acme: keys: key 1 holds no PEM key');
    expect(JSON.stringify(lines)).not.toContain('SECRET');
  });
});

describe('a tenant that cannot be had', () => {
  test('is as unknown by a null, as a database gives it', async () => {
    const { failureOf, lines } = setUp(() => null as never);
    expect(await failureOf('acme')).toBe('TENANT_UNKNOWN');
    expect(lines).toEqual([]);
  });

  test('is unknown for half a minute, then asked for again', async () => {
    let isThere = false;
    const { failureOf, clock, provider } = setUp(() => (isThere ? credentials() : undefined));
    expect(await failureOf('acme')).toBe('TENANT_UNKNOWN');
    isThere = true;
    clock.advance(UNKNOWN_MS - 1);
    expect(await failureOf('acme')).toBe('TENANT_UNKNOWN');
    expect(provider).toHaveBeenCalledTimes(1);
    clock.advance(1);
    expect(await failureOf('acme')).toBe('found');
  });

  test.each<[string, TenantProvider, string]>([
    [
      'throws',
      () => {
        throw new Error('SECRET');
      },
      'the provider of tenants threw',
    ],
    [
      'throws nothing',
      () => {
        throw undefined;
      },
      'the provider of tenants threw',
    ],
    ['rejects', () => Promise.reject(new Error('SECRET')), 'the provider of tenants threw'],
    ['returns a text', () => 'SECRET' as never, 'the provider of tenants returned no object'],
    [
      'returns what cannot be written',
      () => ({ appSecret: 1n, keys: 'SECRET' }) as never,
      'returned what cannot be read',
    ],
    [
      'throws where it is read',
      () =>
        ({
          get appSecret() {
            throw new Error('SECRET');
          },
        }) as never,
      'returned what cannot be read',
    ],
    [
      'returns wrong keys',
      () => ({ appSecret: 'SECRET', keys: 'SECRET' }),
      'tenant acme: keys: key 1 holds no PEM key',
    ],
  ])('is unavailable for five seconds, with the reason in the log: the provider %s', async (_, provide, why) => {
    const { failureOf, clock, provider, lines } = setUp(provide);
    expect(await failureOf('acme')).toBe('TENANT_UNAVAILABLE');
    clock.advance(UNAVAILABLE_MS - 1);
    expect(await failureOf('acme')).toBe('TENANT_UNAVAILABLE');
    expect(provider).toHaveBeenCalledTimes(1);
    clock.advance(1);
    expect(await failureOf('acme')).toBe('TENANT_UNAVAILABLE');
    expect(provider).toHaveBeenCalledTimes(2);
    expect(lines).toMatchObject([{ level: 50, code: 'TENANT_UNAVAILABLE', tenant: 'acme' }]);
    expect(lines[0]?.['msg']).toContain(why);
    expect(JSON.stringify(lines)).not.toContain('SECRET');
  });

  test('is given up after three seconds, its signal says so, and what comes later is nobody’s', async () => {
    const { asked, provide } = byHand();
    const { failureOf, clock, lines, directory } = setUp(provide);
    const failure = failureOf('acme');
    clock.advance(LOOKUP_TIMEOUT_MS - 1);
    expect(asked[0]?.signal.aborted).toBe(false);
    clock.advance(1);
    expect(await failure).toBe('TENANT_UNAVAILABLE');
    expect(asked[0]?.signal.reason).toMatchObject({ name: 'TimeoutError' });
    asked[0]?.fail(new Error('late'));
    await flush();
    expect(directory.size).toBe(0);
    expect(lines).toHaveLength(1);
  });

  test('a closing server ends the lookups that run, and says nothing of them', async () => {
    const { asked, provide } = byHand();
    const { failureOf, directory, lines, clock } = setUp(provide);
    const failure = failureOf('acme');
    directory.close();
    expect(await failure).toBe('TENANT_UNAVAILABLE');
    expect(asked[0]?.signal.reason).toMatchObject({ name: 'AbortError' });
    expect([lines, clock.pending]).toEqual([[], 0]);
  });
});

describe('the bounds', () => {
  test('a thousand tenants are held; the least recently used goes first, and is forgotten', async () => {
    let isDown = true;
    const { find, held, failureOf, directory, provider, clock, lines } = setUp(() => {
      if (isDown) throw new Error('down');
      return credentials();
    });
    expect(await failureOf('t1')).toBe('TENANT_UNAVAILABLE');
    isDown = false;
    clock.advance(UNAVAILABLE_MS);
    for (let i = 0; i < MAX_TENANTS; i++) await find(`t${i}`);
    held('t0');
    await find('one-more');
    expect(directory.size).toBe(MAX_TENANTS);
    held('t0');
    held('t2');
    expect(provider).toHaveBeenCalledTimes(1 + MAX_TENANTS + 1);
    isDown = true;
    expect(await failureOf('t1')).toBe('TENANT_UNAVAILABLE');
    expect(lines).toHaveLength(2); // what was told before it was found is no longer known
  }, 60_000);

  test('a hundred lookups run at a time, the next is refused at once, and known tenants are not', async () => {
    const { asked, provide } = byHand();
    const { find, held, failureOf, provider } = setUp(provide);
    const known = find('known');
    asked[0]?.answer(credentials());
    await known;
    const running = Array.from({ length: MAX_LOOKUPS }, (_, i) => failureOf(`t${i}`));
    expect(await failureOf('one-more')).toBe('TENANT_UNAVAILABLE');
    expect(provider).toHaveBeenCalledTimes(1 + MAX_LOOKUPS);
    held('known');
    for (const { answer } of asked.slice(1)) answer(credentials());
    expect(new Set(await Promise.all(running))).toEqual(new Set(['found']));
    const next = failureOf('one-more');
    asked.at(-1)?.answer(credentials());
    expect(await next).toBe('found');
  });

  test('names that lead nowhere are looked up ten a second, however many are made up', async () => {
    const { failureOf, clock, provider, directory } = setUp(() => undefined);
    for (let i = 0; i < FRUITLESS.capacity; i++) expect(await failureOf(`a${i}`)).toBe('TENANT_UNKNOWN');
    expect(await failureOf('b')).toBe('TENANT_UNAVAILABLE');
    for (let second = 0; second < 3; second++) {
      clock.advance(1_000);
      for (let i = 0; i < 100; i++) await failureOf(`c${second}-${i}`);
    }
    expect(provider).toHaveBeenCalledTimes(FRUITLESS.capacity + 3 * FRUITLESS.perSecond);
    expect(directory.size).toBe(0);
  });

  test('tenants that exist spend nothing of that: all of them are found, however many', async () => {
    const { failureOf } = setUp();
    for (let i = 0; i < FRUITLESS.capacity * 2; i++) expect(await failureOf(`t${i}`)).toBe('found');
  });

  test('a thousand requests wait for lookups, the next is refused, and later they are all free again', async () => {
    const { asked, provide } = byHand();
    const { find, failureOf } = setUp(provide);
    const crowd = Array.from({ length: MAX_WAITING }, () => find('acme'));
    expect(await failureOf('acme')).toBe('TENANT_UNAVAILABLE');
    expect(await failureOf('another')).toBe('TENANT_UNAVAILABLE');
    expect(asked).toHaveLength(1);
    asked[0]?.answer(credentials());
    await Promise.all(crowd);
    const next = failureOf('another');
    asked[1]?.answer(credentials());
    expect(await next).toBe('found');
  });

  test('a tenant that is held serves on where there is no room to wait, even after an hour', async () => {
    const { asked, provide } = byHand();
    const { find, held, clock } = setUp(provide);
    const found = find('acme');
    asked[0]?.answer(credentials('old'));
    await found;
    clock.advance(MAX_STALE_MS);
    const crowd = Array.from({ length: MAX_WAITING }, () => find('acme'));
    expect(secretOf(held('acme'))).toBe('old');
    asked[1]?.answer(credentials('new'));
    expect(new Set((await Promise.all(crowd)).map(secretOf))).toEqual(new Set(['new']));
  });

  test('sixteen refreshes run at a time; the others serve on, and are refreshed later', async () => {
    const { asked, provide } = byHand();
    const { find, held, clock } = setUp(provide);
    const names = Array.from({ length: MAX_REFRESHES + 4 }, (_, i) => `t${i}`);
    const found = names.map((name) => find(name));
    for (const { answer } of asked.splice(0)) answer(credentials('old'));
    await Promise.all(found);
    clock.advance(MAX_STALE_MS - 1);
    for (const name of names) held(name);
    expect(asked).toHaveLength(MAX_REFRESHES);
    clock.advance(1);
    held(names.at(-1) as string); // even after an hour: better than nothing
    for (const { answer } of asked.splice(0)) answer(credentials('new'));
    await flush();
    const later = names.slice(MAX_REFRESHES).map((name) => find(name));
    expect(asked).toHaveLength(4);
    for (const { answer } of asked) answer(credentials('new'));
    expect((await Promise.all(later)).map(secretOf)).toEqual(Array(4).fill('new'));
  });

  test('a flood of names while the provider is down fills no log', async () => {
    const { failureOf, clock, lines } = setUp(() => {
      throw new Error('down');
    });
    for (let i = 0; i < 1_000; i++) {
      await failureOf(`t${i}`);
      clock.advance(10);
    }
    expect(lines).toHaveLength(60 + 9);
  });

  test('of names that cannot be had, a thousand are remembered', async () => {
    const { failureOf, clock, lines } = setUp(() => {
      throw new Error('down');
    });
    let made = 0;
    const fail = async (name: string) => {
      clock.advance(UNAVAILABLE_MS);
      expect(await failureOf(name)).toBe('TENANT_UNAVAILABLE');
    };
    const failOthers = async (count: number) => {
      for (let i = 0; i < count; i++) await fail(`other-${made++}`);
    };
    const toldOfAcme = () => lines.filter(({ tenant }) => tenant === 'acme').length;
    await fail('acme');
    await failOthers(MAX_MISSING - 1);
    await fail('acme');
    expect(toldOfAcme()).toBe(1);
    await failOthers(MAX_MISSING);
    await fail('acme');
    expect(toldOfAcme()).toBe(2);
  });
});

test('a key that was revoked is held by nobody, whatever happens in between', async () => {
  const other = makeKeyPair();
  const steps = fc.array(
    fc.oneof(
      fc.record({ kind: fc.constant('find' as const), name: fc.constantFrom('a', 'b') }),
      fc.record({
        kind: fc.constant('pass' as const),
        ms: fc.constantFrom(1_000, UNKNOWN_MS, REFRESH_MS, MAX_STALE_MS),
      }),
      fc.record({
        kind: fc.constant('set' as const),
        name: fc.constantFrom('a', 'b'),
        to: fc.constantFrom('one', 'two', 'gone', 'broken'),
      }),
    ),
    { maxLength: 40 },
  );
  const keys: Record<string, string> = { one: keyPair.privateKey, two: other.privateKey };
  await fc.assert(
    fc.asyncProperty(steps, async (script) => {
      const truth: Record<string, string> = { a: 'one', b: 'two' };
      /** What the provider last said of each, which is all that may serve. */
      const said: Record<string, string | undefined> = {};
      const { find, clock } = setUp((name) => {
        const now = truth[name] ?? 'gone';
        if (now === 'broken') throw new Error('down');
        said[name] = now;
        return now === 'gone' ? undefined : { appSecret: `${name} ${now}`, keys: keys[now] ?? '' };
      });
      for (const step of script) {
        if (step.kind === 'pass') clock.advance(step.ms);
        else if (step.kind === 'set') truth[step.name] = step.to;
        else {
          const before = said[step.name];
          const found = await find(step.name).catch(({ code }) => code as string);
          const allowed = [before, said[step.name]].filter((state) => state !== undefined && state !== 'gone');
          if (typeof found === 'string') expect(found).toMatch(/^TENANT_/);
          else expect(allowed.map((state) => `${step.name} ${state}`)).toContain(secretOf(found));
          await flush();
        }
      }
    }),
    { numRuns: 100 },
  );
});
