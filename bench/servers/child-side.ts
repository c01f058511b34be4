/** The child's half of the conversation: says that it is ready, and what it has used. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { reasonOf } from '../support/bench-error.ts';
import type { Answer, DrainRun, EngineLoad, EngineRun, Order, Ready, Usage } from '../support/messages.ts';

/** How often the event loop is probed; the histogram counts this interval into every value. */
const LOOP_PROBE_MS = 5;

const loopDelay = monitorEventLoopDelay({ resolution: LOOP_PROBE_MS });
let cpuBefore = process.cpuUsage();

/** CPU of all threads and delay of the event loop since the last call, and the memory now. */
export function takeUsage(): Usage {
  const { user, system } = process.cpuUsage(cpuBefore);
  cpuBefore = process.cpuUsage();
  const loopDelayP99Ms = Math.max(0, loopDelay.percentile(99) / 1e6 - LOOP_PROBE_MS);
  loopDelay.reset();
  return { cpuMicros: user + system, loopDelayP99Ms, rssBytes: process.memoryUsage.rss() };
}

/** What orders to work do. */
export interface Works {
  /** In a child that is an engine. */
  readonly run?: (load: EngineLoad) => Promise<EngineRun>;
  /** In a child that has filled an inbox. */
  readonly drain?: () => Promise<DrainRun>;
}

/** Starts what the bench measures, says so, and answers until the bench ends. */
export async function serveBench(start: () => Promise<Omit<Ready, 'told'>>, works: Works = {}): Promise<void> {
  process.on('disconnect', () => process.exit()); // the bench is gone, however it ended
  loopDelay.enable();
  try {
    tell({ told: 'ready', ...(await start()) });
  } catch (error) {
    tell({ told: 'failed', reason: reasonOf(error) });
    return;
  }
  process.on('message', async (order: Order) => {
    try {
      const answer = await obey(order, works);
      if (answer) tell(answer);
    } catch (error) {
      tell({ told: 'failed', reason: reasonOf(error) });
    }
  });
}

async function obey(order: Order, { run, drain }: Works): Promise<Answer | undefined> {
  switch (order.order) {
    case 'measure':
      await sleep(LOOP_PROBE_MS); // the delay that this order waited through counts too: let the probe see it
      return { told: 'measured', ...takeUsage() };
    case 'run':
      return run && { told: 'ran', ...(await run(order)) };
    case 'drain':
      return drain && { told: 'drained', ...(await drain()) };
  }
}

/** For a row's header. */
export function describeWorkers(workers: number): string {
  return `${workers} ${workers === 1 ? 'worker' : 'workers'}`;
}

function tell(message: Ready | Answer): void {
  process.send?.(message);
}
