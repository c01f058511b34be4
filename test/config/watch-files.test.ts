/** Real files in real directories. Time is real where an event has to come, and the test's own where none does. */
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { type Clock, systemClock } from '../../src/clock.ts';
import { RECHECK_MS, SETTLE_MS, watchFiles } from '../../src/config/watch-files.ts';
import { temporaryDirectory } from '../support/command.ts';
import { eventually } from '../support/eventually.ts';
import { FakeClock } from '../support/fake-clock.ts';

const open: { close(): void }[] = [];
afterEach(() => {
  for (const watch of open.splice(0)) watch.close();
});

function count(paths: string[], clock: Clock) {
  const changes = { count: 0 };
  open.push(watchFiles(paths, () => (changes.count += 1), clock));
  return changes;
}

function file(text = 'one', name = 'tls.crt'): string {
  const path = join(temporaryDirectory(), name);
  writeFileSync(path, text);
  return path;
}

const replace = (path: string, text: string) => {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
};

/** What `change` does is told once; by a later look it would take a minute. */
async function expectOneChange(paths: string[], change: () => void): Promise<void> {
  const changes = count(paths, systemClock);
  change();
  await eventually(() => expect(changes.count).toBe(1));
}

describe('watchFiles tells of', () => {
  test('a file that is written in place', async () => {
    const path = file();
    await expectOneChange([path], () => writeFileSync(path, 'two'));
  });

  test('a file that another one is renamed over', async () => {
    const path = file();
    await expectOneChange([path], () => replace(path, 'two'));
  });

  test('a file that is deleted and made anew, however often', async () => {
    const path = file();
    const changes = count([path], systemClock);
    for (const round of [1, 2, 3]) {
      unlinkSync(path);
      writeFileSync(path, 'the same');
      await eventually(() => expect(changes.count).toBe(round));
    }
  });

  test('a file that vanishes, and that it is back', async () => {
    const path = file();
    const changes = count([path], systemClock);
    unlinkSync(path);
    await eventually(() => expect(changes.count).toBe(1));
    writeFileSync(path, 'two');
    await eventually(() => expect(changes.count).toBe(2));
  });

  test('a file that was missing at first', async () => {
    const path = join(temporaryDirectory(), 'tls.crt');
    await expectOneChange([path], () => writeFileSync(path, 'one'));
  });

  test('two files of one volume, when Kubernetes swaps the link above them', async () => {
    const volume = temporaryDirectory();
    const update = (name: string, text: string) => {
      mkdirSync(join(volume, name));
      writeFileSync(join(volume, name, 'tls.crt'), text);
      writeFileSync(join(volume, name, 'tls.key'), text);
      symlinkSync(name, join(volume, '..data_tmp'));
      renameSync(join(volume, '..data_tmp'), join(volume, '..data'));
    };
    update('..2026_11_22', 'one');
    for (const name of ['tls.crt', 'tls.key']) symlinkSync(join('..data', name), join(volume, name));
    const paths = [join(volume, 'tls.crt'), join(volume, 'tls.key')];
    const changes = count(paths, systemClock);
    update('..2026_11_23', 'two');
    rmSync(join(volume, '..2026_11_22'), { recursive: true });
    await eventually(() => expect(changes.count).toBe(1));
    update('..2026_11_24', 'six');
    await eventually(() => expect(changes.count).toBe(2));
  });

  test('a file in a directory, whether it changes, comes or goes', async () => {
    const path = file();
    const other = join(dirname(path), 'b.pem');
    const changes = count([dirname(path)], systemClock);
    writeFileSync(path, 'two');
    await eventually(() => expect(changes.count).toBe(1));
    writeFileSync(other, 'new');
    await eventually(() => expect(changes.count).toBe(2));
    unlinkSync(other);
    await eventually(() => expect(changes.count).toBe(3));
  });
});

describe('watchFiles tells once', () => {
  test('when several files change together', async () => {
    const paths = [file('one', 'a'), file('one', 'b')];
    const changes = count(paths, systemClock);
    for (const path of paths) replace(path, 'two');
    await eventually(() => expect(changes.count).toBe(1));
    for (const path of paths) writeFileSync(path, 'three');
    await eventually(() => expect(changes.count).toBe(2));
  });

  test('and only when whoever writes has stopped', () => {
    const clock = new FakeClock();
    const path = file();
    const changes = count([path], clock);
    appendFileSync(path, 'part ');
    clock.advance(RECHECK_MS);
    for (const part of ['of ', 'a ', 'key']) {
      appendFileSync(path, part);
      clock.advance(SETTLE_MS);
    }
    expect(changes.count).toBe(0);
    clock.advance(SETTLE_MS);
    expect(changes.count).toBe(1);
    clock.advance(RECHECK_MS);
    expect(changes.count).toBe(1);
  });

  test('and not for its neighbours', async () => {
    const clock = new FakeClock();
    const path = file();
    const changes = count([path], clock);
    writeFileSync(join(dirname(path), 'neighbour'), 'one');
    await eventually(() => expect(clock.nextInMs).toBe(SETTLE_MS));
    clock.advance(2 * SETTLE_MS);
    expect(changes.count).toBe(0);
  });
});

describe('watchFiles looks every minute', () => {
  test('and so finds a change that no event tells of: here, of a file behind a link to elsewhere', () => {
    const clock = new FakeClock();
    const target = file();
    const link = join(temporaryDirectory(), 'tls.crt');
    symlinkSync(target, link);
    const changes = count([link], clock);
    utimesSync(target, 0, 0);
    clock.advance(RECHECK_MS - 1);
    expect(changes.count).toBe(0);
    clock.advance(1 + SETTLE_MS);
    expect(changes.count).toBe(1);
  });

  test('and so finds a directory that was not there, and hears of what happens in it from then on', async () => {
    const clock = new FakeClock();
    const directory = join(temporaryDirectory(), 'later');
    const path = join(directory, 'tls.crt');
    const changes = count([path], clock);
    mkdirSync(directory);
    clock.advance(RECHECK_MS);
    writeFileSync(path, 'one');
    await eventually(() => expect(clock.nextInMs).toBe(SETTLE_MS));
    clock.advance(2 * SETTLE_MS);
    expect(changes.count).toBe(1);
  });

  test('and so goes on after its directory was replaced', async () => {
    const clock = new FakeClock();
    const path = file();
    const changes = count([path], clock);
    rmSync(dirname(path), { recursive: true });
    mkdirSync(dirname(path));
    clock.advance(RECHECK_MS + SETTLE_MS);
    expect(changes.count).toBe(1); // the file is gone
    writeFileSync(path, 'two');
    await eventually(() => expect(clock.nextInMs).toBe(SETTLE_MS));
    clock.advance(2 * SETTLE_MS);
    expect(changes.count).toBe(2);
  });
});

test('watchFiles tells nothing, and has no timer left, once it is closed', () => {
  const clock = new FakeClock();
  const path = file();
  const changes = count([path], clock);
  for (const watch of open) watch.close();
  expect(clock.pending).toBe(0);
  writeFileSync(path, 'two');
  clock.advance(RECHECK_MS + SETTLE_MS);
  expect({ changes: changes.count, isThere: existsSync(path) }).toEqual({ changes: 0, isThere: true });
});

test('watchFiles may be closed by what it tells', () => {
  const clock = new FakeClock();
  const path = file();
  const watch = watchFiles([path], () => watch.close(), clock);
  writeFileSync(path, 'two');
  clock.advance(RECHECK_MS + SETTLE_MS);
  expect(clock.pending).toBe(0);
});
