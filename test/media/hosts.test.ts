import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DEFAULT_MEDIA_HOSTS, HostList } from '../../src/media/hosts.ts';

const meta = new HostList(DEFAULT_MEDIA_HOSTS);
const refusal = expect.objectContaining({ code: 'MEDIA_UNAVAILABLE', isTransient: false });

test.each([
  'https://mmg.whatsapp.net/v/t62.7118-24/1?ccb=11-4&oh=1',
  'https://media.fasr1-1.fna.whatsapp.net/v/1',
  'https://MMG.WhatsApp.NET/v/1',
  'https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1',
  'https://scontent.xx.fbcdn.net/1',
  'https://mmg.whatsapp.net:443/v/1',
])('%s is allowed, at public addresses', (url) => {
  expect(meta.check(url)).toEqual({ url: new URL(url), allowsPrivate: false });
});

test.each([
  'http://mmg.whatsapp.net/v/1',
  'https://mmg.whatsapp.net:8443/v/1',
  'https://whatsapp.net/v/1',
  'https://.whatsapp.net/v/1',
  'https://evilwhatsapp.net/v/1',
  'https://mmg.whatsapp.net.evil.example/v/1',
  'https://mmg.whatsapp.net./v/1',
  'https://mmg-whatsapp.net/v/1',
  'https://evil.example/mmg.whatsapp.net',
  'https://evil.example/?x=.whatsapp.net',
  'https://evil.example#.whatsapp.net',
  'https://evil.example\\.whatsapp.net/',
  'https://127.0.0.1/v/1',
  'https://2130706433/v/1',
  'https://[::1]/v/1',
  'https://localhost/v/1',
  'file:///etc/passwd',
  'data:text/plain,x',
  'ftp://mmg.whatsapp.net/v/1',
  'https://mmg.whatsapp.net@evil.example/v/1',
  'https://user:secret@mmg.whatsapp.net/v/1',
  'https://user@mmg.whatsapp.net/v/1',
  'not a url',
  '',
  '//mmg.whatsapp.net/v/1',
])('%s is refused', (url) => {
  expect(() => meta.check(url)).toThrow(refusal);
});

test('a refusal shows nothing of the link', () => {
  expect(() => meta.check('https://user:hunter2@evil.example/secret-path')).toThrow(
    expect.not.objectContaining({ message: expect.stringMatching(/evil|hunter2|secret-path/) }),
  );
});

test('no host is allowed by how it begins, or by what surrounds the domain', () => {
  fc.assert(
    fc.property(fc.domain(), (domain) => {
      const isMeta = DEFAULT_MEDIA_HOSTS.some((pattern) => `.${domain}`.endsWith(pattern.slice(1)));
      fc.pre(!isMeta);
      for (const host of [domain, `mmg.whatsapp.net.${domain}`, `mmg.whatsapp.net-${domain}`]) {
        expect(() => meta.check(`https://${host}/`)).toThrow(refusal);
      }
    }),
  );
});

test('a host without a star is that host alone', () => {
  const hosts = new HostList(['Media.Example.com']);
  expect(hosts.check('https://media.example.com/1').allowsPrivate).toBe(false);
  expect(() => hosts.check('https://a.media.example.com/1')).toThrow(refusal);
  expect(() => hosts.check('https://example.com/1')).toThrow(refusal);
});

test('an origin is allowed with its scheme and port, wherever it is', () => {
  const hosts = new HostList(['http://127.0.0.1:9000', 'https://cdn.internal', 'http://[::1]:9000/']);
  expect(hosts.check('http://127.0.0.1:9000/v/1').allowsPrivate).toBe(true);
  expect(hosts.check('https://cdn.internal/v/1').allowsPrivate).toBe(true);
  expect(hosts.check('http://[::1]:9000/v/1').allowsPrivate).toBe(true);
  for (const other of [
    'https://127.0.0.1:9000/',
    'http://127.0.0.1:9001/',
    'http://127.0.0.1/',
    'http://cdn.internal/',
  ]) {
    expect(() => hosts.check(other)).toThrow(refusal);
  }
});

test('the target of a redirect is taken from where it was given', () => {
  const from = new URL('https://mmg.whatsapp.net/a/b');
  expect(meta.check('../c', from).url.href).toBe('https://mmg.whatsapp.net/c');
  expect(meta.check('//lookaside.fbsbx.com/d', from).url.href).toBe('https://lookaside.fbsbx.com/d');
  expect(() => meta.check('//evil.example/d', from)).toThrow(refusal);
});

test.each([
  '',
  '*',
  '*.net',
  '*.*.net',
  'net',
  'localhost',
  '10.0.0.1',
  '[::1]',
  '::1',
  'media.example.com:8443',
  'media.example.com/path',
  'a*.example.com',
  '.example.com',
  'http://127.0.0.1:9000/path',
  'http://user@127.0.0.1:9000',
  'ftp://media.example.com',
  'http://',
  'http://*.example.com:x',
])('%j is no entry for the list: a TypeError at start', (entry) => {
  expect(() => new HostList([entry])).toThrow(TypeError);
});
