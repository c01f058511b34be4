import { expect, test } from 'vitest';
import { isOwnHost } from '../../../src/playground/access.ts';

test.each([
  ['127.0.0.1:9464', '127.0.0.1'],
  ['127.1.2.3', '127.0.0.1'],
  ['localhost:9464', '127.0.0.1'],
  ['LOCALHOST', '127.0.0.1'],
  ['[::1]:9464', '127.0.0.1'],
  ['dev.internal:9464', 'dev.internal'],
  ['[fd00::7]:9464', 'fd00::7'],
  ['192.168.1.7:9464', '192.168.1.7'],
  ['192.168.1.7:9464', '0.0.0.0'],
  ['[fd00::7]:9464', '::'],
])('takes a page at %s, where the admin port listens on %s', (host, adminHost) => {
  expect(isOwnHost(host, adminHost)).toBe(true);
});

test.each([
  [undefined, '127.0.0.1'],
  ['', '127.0.0.1'],
  ['evil.example:9464', '127.0.0.1'],
  ['evil.example:9464', '0.0.0.0'],
  ['evil.example:9464', '::'],
  ['192.168.1.7:9464', '127.0.0.1'],
  ['localhost.evil.example', '127.0.0.1'],
  ['127.0.0.1.evil.example', '127.0.0.1'],
  ['127.evil.example', '127.0.0.1'],
  ['127.0.0.1, evil.example', '127.0.0.1'],
  ['user@127.0.0.1', '127.0.0.1'],
  ['127.0.0.1:9464:1', '127.0.0.1'],
  ['[::1', '127.0.0.1'],
])('refuses a page at %s, where the admin port listens on %s', (host, adminHost) => {
  expect(isOwnHost(host, adminHost)).toBe(false);
});
