import { NOTFOUND } from 'node:dns';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { STATUS_BY_CODE } from '../../src/errors.ts';

const page = readFileSync('docs/operations.md', 'utf8');
const rows = page.split('\n').filter((line) => line.startsWith('| `'));
const explained = rows.flatMap((row) =>
  [...(row.split('|')[1] ?? '').matchAll(/`([A-Z_]+)`/g)].map(([, code]) => code),
);

/** What the source makes up as the system would have it. */
const OF_THE_SYSTEM = new Set<string>([NOTFOUND]);

/** Codes that the source writes as they are, beside a message or in a line of the log. */
function codesInSource(): string[] {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' });
  const logging = files.filter((file) => file.endsWith('.ts') && !file.startsWith('doctor/'));
  const codes = logging.flatMap((file) =>
    [...readFileSync(join('src', file), 'utf8').matchAll(/\bcode: '([A-Z_]+)'/g)].map(([, code = '']) => code),
  );
  return codes.filter((code) => !OF_THE_SYSTEM.has(code));
}

test('the troubleshooting table explains every code that can stand in the log', () => {
  const codes = new Set([...codesInSource(), ...Object.keys(STATUS_BY_CODE)]);
  expect([...codes].filter((code) => !explained.includes(code)).sort()).toEqual([]);
});

test('the troubleshooting table explains no code that there is not, and none twice', () => {
  const codes = new Set([...codesInSource(), ...Object.keys(STATUS_BY_CODE)]);
  expect(explained.filter((code) => !codes.has(code ?? ''))).toEqual([]);
  expect(new Set(explained).size).toBe(explained.length);
  for (const row of rows)
    expect(
      row.split('|').map((cell) => cell.trim() !== ''),
      row,
    ).toEqual([false, true, true, true, true, false]);
});

test('the lines marked 1/min are those that are', () => {
  const source = readFileSync('src/http/refusal-log.ts', 'utf8');
  const [, list = ''] = /new Set\(\[([^\]]+)\]/.exec(source) ?? [];
  const limited = [...list.matchAll(/'([A-Z_]+)'/g)].map(([, code]) => code);
  const marked = [...page.matchAll(/`([A-Z_]+)` \(1\/min\)/g)].map(([, code]) => code);
  const loggedElsewhereToo = ['INBOX_UNAVAILABLE', 'TENANT_UNAVAILABLE']; // by the store, and by who looks tenants up
  expect([...marked, ...loggedElsewhereToo].sort()).toEqual(limited.sort());
});

test('every setting in the example of /etc/flowgate/env is in the table of the README', () => {
  const [, env = ''] = /`\/etc\/flowgate\/env`:\n\n```sh\n([\s\S]*?)```/.exec(page) ?? [];
  const names = [...env.matchAll(/^([A-Z_]+)=/gm)].map(([, name]) => name);
  expect(names.length).toBeGreaterThan(5);
  for (const name of names) expect(readFileSync('README.md', 'utf8')).toContain(`\`${name}\``);
});

test('the times to stop agree with deploy/', () => {
  const { services } = parse(readFileSync('deploy/compose.yaml', 'utf8')) as {
    services: { flowgate: { stop_grace_period: string } };
  };
  expect(page).toContain(`TimeoutStopSec=${Number.parseInt(services.flowgate.stop_grace_period, 10)}`);
});
