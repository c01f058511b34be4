/** Time as a dependency, so that a test decides when a deadline passes. */
export interface Clock {
  /** Monotonic milliseconds since an arbitrary start: for deadlines and durations, immune to clock jumps. */
  nowMs(): number;
  /** Wall-clock milliseconds since the epoch: only for what people and other machines read. */
  epochMs(): number;
  /** Runs `task` once after `delayMs`; the returned function cancels it. */
  after(delayMs: number, task: () => void): () => void;
}

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  epochMs: () => Date.now(),
  after(delayMs, task) {
    const timer = setTimeout(task, delayMs);
    return () => clearTimeout(timer);
  },
};
