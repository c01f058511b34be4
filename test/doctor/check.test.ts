import { expect, test } from 'vitest';
import { type Check, ok, runChecks } from '../../src/doctor/check.ts';
import { contextOf } from '../support/doctor.ts';
import { FakeClock } from '../support/fake-clock.ts';

const never = new Promise<never>(() => {});

test('checks run at once, and are told in their order', async () => {
  const begun: string[] = [];
  const check = (name: string, work: Promise<unknown>): Check => ({
    name,
    async run() {
      begun.push(name);
      await work;
      return ok(name);
    },
  });
  let finish = () => {};
  const slow = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const running = runChecks([check('slow', slow), check('fast', Promise.resolve())], contextOf());
  expect(begun).toEqual(['slow', 'fast']);
  finish();
  expect((await running).map(({ name }) => name)).toEqual(['slow', 'fast']);
});

test('one that hangs is told to stop after 10 s, may say why, and is given up soon after', async () => {
  const clock = new FakeClock();
  const polite: Check = {
    name: 'polite',
    run: ({ signal }) => new Promise((resolve) => signal.addEventListener('abort', () => resolve(ok('last word')))),
  };
  const running = runChecks(
    [polite, { name: 'deaf', run: () => never }, { name: 'quick', run: () => ok('') }],
    contextOf({ clock }),
  );
  await Promise.resolve();
  clock.advance(9_999);
  expect(clock.pending).toBeGreaterThanOrEqual(2);
  clock.advance(1);
  clock.advance(500);
  expect(await running).toEqual([
    { name: 'polite', status: 'ok', text: 'last word' },
    { name: 'deaf', status: 'failed', text: 'not known: it took more than 10 s' },
    { name: 'quick', status: 'ok', text: '' },
  ]);
  expect(clock.pending).toBe(0);
});

test('a defect of a check is a finding without its message', async () => {
  const broken: Check = {
    name: 'broken',
    run() {
      throw new RangeError('hunter2');
    },
  };
  expect(await runChecks([broken], contextOf())).toEqual([
    { name: 'broken', status: 'failed', text: 'not known, by a defect of this command: RangeError' },
  ]);
});
