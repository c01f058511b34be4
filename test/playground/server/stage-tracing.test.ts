import { afterEach, beforeAll, expect, test } from 'vitest';
import { createApp } from '../../../src/app.ts';
import type { StageTime } from '../../../src/playground/api.ts';
import { RequestRecords } from '../../../src/playground/request-records.ts';
import { stageTracing } from '../../../src/playground/stage-tracing.ts';
import type { FlowTrace } from '../../../src/tracing/tracing.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { endedSpans, registerSdk, resetSpans, spanNamed } from '../../tracing/spans.ts';
import { init, TestPlayground } from './support/playground.ts';

/** One request of the playground, which began 10 ms ago. */
function traced(): { trace: FlowTrace; clock: FakeClock; stages: readonly StageTime[]; records: RequestRecords } {
  const clock = new FakeClock();
  const records = new RequestRecords();
  const { stages } = records.expect('playground-1');
  const receivedAtMs = clock.nowMs();
  clock.advance(10);
  const header = (name: string) => (name === 'x-request-id' ? 'playground-1' : undefined);
  const request = { header, receivedAtMs, path: '/flows/demo', method: 'POST' } as never;
  return { trace: stageTracing(records, clock, undefined).flowRequest('demo', request), clock, stages, records };
}

const told = (stages: readonly StageTime[]) =>
  stages.map(({ stage, startMs, durationMs }) => `${stage} ${startMs}+${durationMs}`);

test('each stage is told from the head of the request, and a handler’s ends where the guard’s begins', async () => {
  const { trace, clock, stages, records } = traced();
  const nowMs = clock.nowMs();
  trace.unwrapped(nowMs, nowMs + 2, nowMs + 5, 1);
  clock.advance(5);
  await trace.handler('A', async () => {
    clock.advance(7);
    trace.guard(() => clock.advance(3));
    await Promise.resolve();
    clock.advance(1);
  });
  trace.seal(() => clock.advance(2));
  trace.end('INIT', 'ok', 200);
  expect(told(stages)).toEqual(['queue 10+2', 'rsa 12+3', 'handler 15+7', 'guard 22+3', 'seal 26+2']);
  expect(records.find('playground-1')?.outcome).toBe('ok');
});

test('a handler that failed, and what it does later, leave the fallback alone', async () => {
  const { trace, clock, stages } = traced();
  let goOn = () => {};
  const late = trace.handler('A', async () => {
    clock.advance(8);
    await new Promise<void>((resolve) => {
      goOn = resolve;
    });
    trace.guard(() => clock.advance(100));
  });
  trace.handlerFailed('HANDLER_LATE');
  await trace.fallback(async () => {
    clock.advance(4);
    goOn();
    await late;
    trace.guard(() => clock.advance(1));
  });
  expect(told(stages)).toEqual(['handler 10+8', 'fallback 18+104', 'guard 122+1']);
});

test('a stage that throws is told all the same', async () => {
  const { trace, clock, stages } = traced();
  const fail = (ms: number) => () => {
    clock.advance(ms);
    throw new Error('no');
  };
  await expect(trace.handler('A', async () => trace.guard(fail(3)))).rejects.toThrow('no');
  expect(() => trace.seal(fail(2))).toThrow('no');
  expect(told(stages)).toEqual(['handler 10+0', 'guard 10+3', 'seal 13+2']);
});

test('what the pool tells of a request that it could not serve is told', () => {
  const dropped = traced();
  dropped.trace.dropped(1_010, 1_030, 'deadline');
  expect(told(dropped.stages)).toEqual(['queue 10+20']);
  const failed = traced();
  failed.trace.unwrapFailed(1_010, 1_011, 1_015);
  expect(told(failed.stages)).toEqual(['queue 10+1', 'rsa 11+4']);
});

beforeAll(registerSdk);
afterEach(resetSpans);

test('an app that is traced has its spans as well, those of its webhooks included', async () => {
  const app = createApp();
  app.flow('demo').init((c) => c.screen('A', {}));
  app.on('message.text', () => {});
  await using playground = await TestPlayground.start(app);
  const { report } = await playground.exchange('demo', init());
  expect(report.stages.map(({ stage }) => stage)).toEqual(['queue', 'rsa', 'handler', 'guard', 'seal']);
  await spanNamed('POST /flows/demo');
  expect(endedSpans().map(({ name }) => name)).toEqual(
    expect.arrayContaining(['decrypt.queue', 'decrypt.rsa', 'handler', 'seal', 'POST /flows/demo']),
  );
  await playground.post('webhook', { kind: 'text', text: 'hi' });
  await spanNamed('POST /webhook');
  await spanNamed('attempt message.text');
});
