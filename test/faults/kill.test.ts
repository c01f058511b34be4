/**
 * `kill -9` under load, again and again: what was acknowledged is handled, and no effect happens twice.
 *
 * What a process wrote outlives its kill in the memory of the system, synced or not: so this shows that nothing is
 * acknowledged before it is committed, and not that a commit reaches the disk.
 */
import { type FSWatcher, watch } from 'node:fs';
import { expect, test } from 'vitest';
import { GIVE_UP } from './support/give-up.ts';
import { type InboxFile, itemIdOf, readInboxFile } from './support/inbox-file.ts';
import { Installation } from './support/installation.ts';
import { Meta } from './support/meta.ts';
import { Random } from './support/random.ts';
import type { Server } from './support/server.ts';

const rounds = Number(process.env['FLOWGATE_KILL_ROUNDS'] ?? 50);
const seed = Number(process.env['FLOWGATE_KILL_SEED'] ?? Math.floor(Math.random() * 1e9));
/** So many kills strike while the server still recovers from the last. */
const KILLS_AT_START = 1 / 8;
/** Of the others, so many strike when the file is written, before those who wait for that are answered. */
const KILLS_AT_WRITE = 1 / 2;
const MAX_ANSWERS = 40;
const MS_A_ROUND = 5_000;

const TEST = { timeout: 60_000 + rounds * MS_A_ROUND };

test(`${rounds} kills under load lose no acknowledged event, and repeat no effect`, TEST, async () => {
  console.log(`to make the same choices again: FLOWGATE_KILL_SEED=${seed} FLOWGATE_KILL_ROUNDS=${rounds}`);
  const random = new Random(seed);
  await using site = new Installation();
  const meta = new Meta(random);
  let storedUnanswered = 0;
  for (let round = 0; round < rounds; round++) {
    const server = site.spawn('recording');
    if (round > 0 && random.chance(KILLS_AT_START)) await killAtStart(server, site.dataDir);
    else await killUnderLoad(server, site.dataDir, meta, random);
    const file = readInboxFile(site.dataDir);
    expect({ round, problems: file.problems, lost: lostFrom(file, meta) }).toEqual({ round, problems: [], lost: [] });
    storedUnanswered += meta.unanswered.filter((id) => file.items.has(itemIdOf(id))).length;
  }
  const acknowledgedBeforeKills = meta.acknowledged.size;

  const last = await site.serve('recording');
  await meta.finish(last.phone);
  await expect.poll(() => last.inbox.stats(), GIVE_UP).toMatchObject({ waiting: 0, leased: 0 });
  expect(await last.kill('SIGTERM')).toMatchObject({ code: 0, stderr: '' });
  const file = readInboxFile(site.dataDir);
  expect(file.problems).toEqual([]);
  console.log({ rounds, acknowledgedBeforeKills, storedUnanswered, ...checkOutcome(site, meta, file) });
});

/** Each event was handled, or given up for a reason that only a kill can have; each effect happened once at most. */
function checkOutcome(site: Installation, meta: Meta, { items }: InboxFile) {
  const effects = countsOf(site.journal('effects'));
  const handled = countsOf(site.journal('handled'));
  const ids = [...meta.acknowledged];
  const dead = ids.filter((id) => items.get(itemIdOf(id))?.state === 'dead');
  const reasons = dead.map((id) => items.get(itemIdOf(id))?.error?.split(':')[0] ?? '');
  expect(items.size).toBe(ids.length);
  expect(ids.filter((id) => !handled.has(id) && !dead.includes(id))).toEqual([]);
  expect(reasons.filter((code) => code !== 'EFFECT_UNCERTAIN' && code !== 'ATTEMPTS_EXHAUSTED')).toEqual([]);
  expect([...effects].filter(([, times]) => times > 1)).toEqual([]);
  expect([...handled.keys()].filter((id) => !effects.has(id))).toEqual([]);
  return {
    acknowledged: ids.length,
    handled: handled.size,
    handledTwice: [...handled.values()].filter((times) => times > 1).length,
    effects: effects.size,
    dead: Object.fromEntries(countsOf(reasons)),
    deadWithEffect: dead.filter((id) => effects.has(id)).length,
  };
}

/** A server that finds nothing to put right writes nothing: that one is killed when it listens. */
async function killAtStart(server: Server, dataDir: string): Promise<void> {
  const watcher = watch(dataDir, () => void server.kill());
  await server.listening().catch(() => {});
  await server.kill();
  watcher.close();
}

/** After some answers: at once, or at the next write. */
async function killUnderLoad(server: Server, dataDir: string, meta: Meta, random: Random): Promise<void> {
  await server.listening();
  const answers = random.int(1, MAX_ANSWERS);
  const isAtWrite = random.chance(KILLS_AT_WRITE);
  let isKilled = false;
  const kill = () => {
    isKilled = true;
    void server.kill();
  };
  let watcher: FSWatcher | undefined;
  const onAnswer = (status: number, count: number) => {
    expect([200, 503]).toContain(status); // 503: the disk of this machine was too slow
    if (status !== 200 || count !== answers) return;
    if (isAtWrite) watcher = watch(dataDir, kill);
    else kill();
  };
  await meta.pour(server.phone, () => isKilled, onAnswer);
  await server.ended;
  watcher?.close();
}

/** What was acknowledged, and is not in the file. */
function lostFrom(file: InboxFile, meta: Meta): string[] {
  return [...meta.acknowledged].filter((id) => !file.items.has(itemIdOf(id)));
}

function countsOf(values: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}
