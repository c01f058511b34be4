/** Asks again and again, on one timer for all who do, but not while nobody looks. */
import { useEffect } from 'preact/hooks';

const POLL_MS = 1_000;
const polls = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

/** Once now and then every second, but for a call that still runs. @param poll never rejects. */
export function usePolling(poll: () => Promise<void>): void {
  useEffect(() => {
    let isRunning = false;
    const run = () => {
      if (isRunning) return;
      isRunning = true;
      void poll().finally(() => {
        isRunning = false;
      });
    };
    begin(run);
    return () => end(run);
  }, [poll]);
}

function begin(poll: () => void): void {
  if (polls.size === 0) {
    timer = setInterval(tick, POLL_MS);
    document.addEventListener('visibilitychange', tick);
  }
  polls.add(poll);
  if (!document.hidden) poll();
}

function end(poll: () => void): void {
  polls.delete(poll);
  if (polls.size > 0) return;
  clearInterval(timer);
  document.removeEventListener('visibilitychange', tick);
}

function tick(): void {
  if (!document.hidden) for (const poll of polls) poll();
}
