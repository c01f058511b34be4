import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { withoutPanelTables } from '../grafana/src/readme.ts';
import { STATUS_BY_CODE } from '../src/errors.ts';
import { createMetrics } from '../src/metrics/registry.ts';
import { createPhone } from '../src/testing/index.ts';
import { temporaryDirectory } from './support/command.ts';

const readme = readFileSync('README.md', 'utf8');
const tableRows = readme.split('\n').filter((line) => line.startsWith('|'));

test('the README lists every error code with the status it has', () => {
  for (const [code, status] of Object.entries(STATUS_BY_CODE)) {
    if (status === null) expect(readme, code).toContain(`\`${code}\``);
    else
      expect(
        tableRows.some((row) => row.includes(`\`${code}\``) && row.includes(String(status))),
        code,
      ).toBe(true);
  }
});

test('the README lists no error code that does not exist', () => {
  const statusRows = tableRows.filter((row) => /^\| \d{3}/.test(row));
  const named = statusRows.flatMap((row) => row.match(/`[A-Z]+_[A-Z_]+`/g) ?? []);
  expect(named.map((name) => name.slice(1, -1)).filter((name) => !(name in STATUS_BY_CODE))).toEqual([]);
});

test('the README lists every setting the code reads', () => {
  const sources = readdirSync('src/config')
    .map((name) => readFileSync(`src/config/${name}`, 'utf8'))
    .join('\n');
  const read = [...sources.matchAll(/read\.(?:string|int|oneOf|secret)\('([A-Z_]+)'/g)].map(([, name]) => name);
  expect(read.length).toBeGreaterThan(10);
  for (const name of read)
    expect(
      tableRows.some((row) => row.includes(`\`${name}\``)),
      name,
    ).toBe(true);
});

test('grafana/README.md lists every metric of ours, and no other', async () => {
  const names = (text: string) => new Set(text.match(/flowgate_[a-z_]+[a-z]/g));
  const metrics = createMetrics();
  metrics.inboxFrom(async () => ({ waiting: 0, leased: 0, done: 0, dead: 0, oldestDueMs: 0 }));
  const exported = (await metrics.render()).split('\n').filter((line) => line.startsWith('# TYPE flowgate_'));
  // Its queries name histograms by their three series: test/grafana/ has an eye on those.
  const written = withoutPanelTables(readFileSync('grafana/README.md', 'utf8'));
  expect(names(written)).toEqual(names(exported.join('\n')));
});

test('the hello world of the README works, in under 10 lines', async () => {
  const [, source = ''] = /```ts\n\/\/ app\.ts\n([\s\S]*?)```/.exec(readme) ?? [];
  expect(source.trim().split('\n').length).toBeLessThan(10);
  const file = join(temporaryDirectory(), 'app.mjs');
  writeFileSync(file, source.replace("'flowgate'", JSON.stringify(new URL('../dist/index.js', import.meta.url).href)));
  const { default: app } = await import(pathToFileURL(file).href);
  await using phone = createPhone(app);
  expect(await phone.open('hello')).toMatchObject({ screen: 'WELCOME', data: { greeting: 'What is your name?' } });
  await phone.submit({ name: 'Ada' });
  expect(phone.completed).toMatchObject({ name: 'Ada' });
});

test('every example of the README is a file of examples/parts, which test/examples/parts.test.ts runs', () => {
  const shown = [...readme.matchAll(/<!-- example: (\w+) -->\n```ts\n([\s\S]*?)```/g)];
  const files = readdirSync('examples/parts').map((file) => file.replace('.ts', ''));
  expect(shown.map(([, name]) => name).sort()).toEqual(files.filter((name) => name !== 'upstream').sort());
  const tests = readFileSync('test/examples/parts.test.ts', 'utf8');
  for (const [, name = '', text] of shown) {
    expect(text, name).toBe(readFileSync(`examples/parts/${name}.ts`, 'utf8'));
    expect(tests, name).toContain(`test('${name}: `);
  }
});
