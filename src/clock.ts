/** Time as a dependency, so that a test decides when a deadline passes. */
export interface Clock {
  /** Monotonic milliseconds since an arbitrary start: for deadlines and durations, immune to clock jumps. */
  nowMs(): number;
  /** Wall-clock milliseconds since the epoch: only for what people and other machines read. */
  epochMs(): number;
  /** Runs `task` once after `delayMs`; the returned function cancels it. */
  after(delayMs: number, task: () => void): () => void;
}

/** When something has to be done, as its doer sees it. */
export interface Deadline {
  /** Epoch ms, for people and other machines. */
  readonly atEpochMs: number;
  /** What is left, never below 0: the timeout to give a database or an upstream. */
  remainingMs(): number;
}

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  epochMs: () => Date.now(),
  after(delayMs, task) {
    const timer = setTimeout(task, delayMs);
    return () => clearTimeout(timer);
  },
};

/** Resolves after `delayMs`, or as soon as `signal` is aborted. */
export function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      cancel();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.after(delayMs, done);
    signal.addEventListener('abort', done);
  });
}

/** @param deadlineMs on the monotonic clock. */
export function deadlineAt(deadlineMs: number, clock: Clock): Deadline {
  const remainingMs = () => Math.max(0, deadlineMs - clock.nowMs());
  return { atEpochMs: clock.epochMs() + deadlineMs - clock.nowMs(), remainingMs };
}
