/** Asks again and again, but not while nobody looks. */
import { useEffect } from 'preact/hooks';

/** @param intervalMs from the end of one call to the next. */
export function usePolling(poll: () => Promise<void>, intervalMs: number, isOn = true): void {
  useEffect(() => {
    if (!isOn) return undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isEnded = false;
    let isRunning = false;
    const run = async () => {
      clearTimeout(timer);
      if (isEnded || isRunning || document.hidden) return;
      isRunning = true;
      await poll();
      isRunning = false;
      if (!isEnded) timer = setTimeout(run, intervalMs);
    };
    const onVisible = () => void run();
    document.addEventListener('visibilitychange', onVisible);
    void run();
    return () => {
      isEnded = true;
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', onVisible);
    };
  }, [poll, intervalMs, isOn]);
}
