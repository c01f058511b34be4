import type { LookupAddress, LookupOptions } from 'node:dns';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isPublicAddress, publicLookup, type Resolve } from '../../src/media/addresses.ts';

const answering =
  (...addresses: string[]): Resolve =>
  (_, __, callback) =>
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );

function lookUp(resolve: Resolve, options: LookupOptions = { all: true }) {
  return new Promise<{ address: string | LookupAddress[]; family: number | undefined }>((done, failed) => {
    publicLookup(resolve)('mmg.whatsapp.net', options, (error, address, family) =>
      error ? failed(error) : done({ address, family }),
    );
  });
}

test.each([
  '0.0.0.0',
  '0.1.2.3',
  '10.0.0.1',
  '10.255.255.255',
  '100.64.0.1',
  '100.127.255.255',
  '127.0.0.1',
  '127.9.9.9',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.170',
  '192.0.2.1',
  '192.88.99.1',
  '192.168.1.1',
  '198.18.0.1',
  '198.19.255.255',
  '198.51.100.7',
  '203.0.113.7',
  '224.0.0.1',
  '239.255.255.255',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::ffff:127.0.0.1',
  '::ffff:8.8.8.8',
  '::ffff:a00:1',
  '::8.8.8.8',
  '64:ff9b::10.0.0.1',
  '64:ff9b::7f00:1',
  '64:ff9b::1',
  '64:ff9b::',
  '64:ff9b:1::8.8.8.8',
  '100::1',
  '2001::1',
  '2001:10::1',
  '2001:db8::1',
  '2002:7f00:1::',
  '2002:808:808::1',
  '3fff::1',
  '5f00::1',
  'fc00::1',
  'fd12:3456::1',
  'fe80::1',
  'fe80::1%eth0',
  'fec0::1',
  'ff02::1',
  '2a00:1450::1%eth0',
  'localhost',
  '',
  '8.8.8',
  '0x7f000001',
])('%s is not public', (address) => {
  expect(isPublicAddress(address)).toBe(false);
});

test.each([
  '1.1.1.1',
  '8.8.8.8',
  '9.255.255.255',
  '11.0.0.0',
  '57.144.0.1',
  '100.63.255.255',
  '100.128.0.0',
  '126.255.255.255',
  '128.0.0.0',
  '157.240.0.60',
  '172.15.255.255',
  '172.32.0.0',
  '192.167.255.255',
  '192.169.0.0',
  '223.255.255.255',
  '2a03:2880:f0ff:c3:face:b00c:0:7260',
  '2001:200::1',
  '2606:4700::1111',
  '64:ff9b::8.8.8.8',
  '64:ff9b::9df0:3c',
  '64:ff9b::808:0',
])('%s is public', (address) => {
  expect(isPublicAddress(address)).toBe(true);
});

test('an address that a network with IPv6 alone translates is judged as the IPv4 address it means', () => {
  fc.assert(
    fc.property(fc.ipV4(), (address) => {
      const groups = address.split('.').map(Number);
      const [a = 0, b = 0, c = 0, d = 0] = groups;
      const inHex = `64:ff9b::${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
      expect(isPublicAddress(inHex)).toBe(isPublicAddress(address));
      expect(isPublicAddress(`64:ff9b::${address}`)).toBe(isPublicAddress(address));
      expect(isPublicAddress(`::ffff:${address}`)).toBe(false);
    }),
  );
});

test('a name with public addresses alone is looked up as Node asks for it', async () => {
  const both = answering('157.240.0.60', '2a03:2880::1');
  expect(await lookUp(both)).toEqual({
    address: [
      { address: '157.240.0.60', family: 4 },
      { address: '2a03:2880::1', family: 6 },
    ],
    family: undefined,
  });
  expect(await lookUp(both, { all: false })).toEqual({ address: '157.240.0.60', family: 4 });
});

test('one address that is not public among public ones refuses the name', async () => {
  const refusal = { code: 'MEDIA_UNAVAILABLE', isTransient: false };
  await expect(lookUp(answering('157.240.0.60', '10.0.0.1'))).rejects.toMatchObject(refusal);
  await expect(lookUp(answering('157.240.0.60', '::1'), { all: false })).rejects.toMatchObject(refusal);
});

test('a name is resolved once, so the address that was checked is the one that is called', async () => {
  let calls = 0;
  const rebinding: Resolve = (...args) => answering(++calls === 1 ? '157.240.0.60' : '127.0.0.1')(...args);
  expect(await lookUp(rebinding, {})).toEqual({ address: '157.240.0.60', family: 4 });
  expect(calls).toBe(1);
});

test('what the resolver is asked is all addresses, of the family and with the hints that Node wants', async () => {
  const asked: unknown[] = [];
  const resolve: Resolve = (hostname, options, callback) => {
    asked.push(hostname, options);
    answering('1.1.1.1')(hostname, options, callback);
  };
  await lookUp(resolve, { family: 4, hints: 32 });
  expect(asked).toEqual(['mmg.whatsapp.net', { family: 4, hints: 32, all: true }]);
});

test('a name without an address, or a resolver that fails, fails the lookup', async () => {
  await expect(lookUp(answering())).rejects.toMatchObject({ code: 'ENOTFOUND' });
  const failing: Resolve = (_, __, callback) => callback(Object.assign(new Error('no'), { code: 'EAI_AGAIN' }), []);
  await expect(lookUp(failing)).rejects.toMatchObject({ code: 'EAI_AGAIN' });
});
