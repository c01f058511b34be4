import { type DispatchDeps, dispatch } from '../../src/flows/dispatch.ts';
import type { Flow, FlowOptions } from '../../src/flows/flow.ts';
import { FlowDefinition } from '../../src/flows/flow-definition.ts';
import { ViolationLog } from '../../src/flows/guard-reply.ts';
import type { FlowRequest } from '../../src/flows/protocol.ts';
import { type AppSecrets, toAppSecrets } from '../../src/http/signature.ts';
import { createMetrics } from '../../src/metrics/registry.ts';
import { memoryFacilities } from './facilities.ts';
import { FakeClock } from './fake-clock.ts';
import { type LogLine, recordingLog } from './log.ts';
import { MemoryState } from './memory-state.ts';

export const DEADLINE_MS = 8_000;
export const APP_SECRET = 'secret';

const base: FlowRequest = {
  action: 'data_exchange',
  version: '4.0',
  screen: 'A',
  data: {},
  token: 'token-1',
  tokenSignature: undefined,
};

/** Whose requests they are. */
interface TestTenant {
  readonly name: string | undefined;
  readonly appSecrets: AppSecrets;
}

const ours: TestTenant = { name: undefined, appSecrets: toAppSecrets([APP_SECRET]) };

/** A Flow whose requests are dispatched on a clock, a log and a store that a test can look at. */
export interface Dispatching {
  readonly flow: Flow;
  readonly clock: FakeClock;
  readonly lines: LogLine[];
  readonly deps: DispatchDeps;
  readonly state: MemoryState;
  /** @returns the status, and what was answered. */
  send(request?: Partial<FlowRequest>, tenant?: Partial<TestTenant>): Promise<{ readonly status: number }>;
  /** The clients of all requests are gone. */
  leave(): void;
  /** What a metric says: `flowgate_..._total{flow="demo"}`. */
  metric(line: string): Promise<number | undefined>;
}

export function setUpDispatch(options: FlowOptions = {}, settings: Partial<DispatchDeps> = {}): Dispatching {
  const clock = new FakeClock();
  const { log, lines } = recordingLog();
  const flow = new FlowDefinition('demo', options);
  const metrics = createMetrics();
  const state = new MemoryState(clock);
  const deps: DispatchDeps = {
    clock,
    log,
    logErrorMessages: false,
    newDefer: () => () => Promise.reject(new Error('this test defers nothing')),
    metrics,
    replyGuard: 'off',
    violationLog: new ViolationLog({ log, clock }),
    facilities: memoryFacilities(clock, state),
    ...settings,
  };
  const abortListeners: (() => void)[] = [];
  const onAbort = (listener: () => void) => void abortListeners.push(listener);
  const source = { header: () => undefined };
  return {
    flow,
    clock,
    lines,
    deps,
    state,
    async send(request = {}, tenant = {}) {
      const deadlineMs = clock.nowMs() + DEADLINE_MS;
      const input = { request: { ...base, ...request }, tenant: { ...ours, ...tenant }, source, deadlineMs, onAbort };
      const { status, text } = await dispatch(flow, input, deps);
      return { status, ...(JSON.parse(text) as object) };
    },
    leave: () => abortListeners.forEach((listener) => void listener()),
    async metric(line) {
      const found = (await metrics.render()).split('\n').find((text) => text.startsWith(`${line} `));
      return found === undefined ? undefined : Number(found.slice(line.length));
    },
  };
}
