/** A bar on stderr while benches run; nothing where stderr is no terminal. */
import { Presets, SingleBar } from 'cli-progress';
import type { Progress } from './bench.ts';

const FORMAT = '  {name}  {bar} {value}/{total}  {step}  {duration_formatted}';
/** Drawing is work that the server under test would miss. */
const DRAWS_PER_SEC = 2;

export interface ProgressBar extends Progress, Disposable {}

export function showProgress(name: string): ProgressBar {
  const bar = new SingleBar(
    { format: FORMAT, fps: DRAWS_PER_SEC, hideCursor: true, clearOnComplete: true, barsize: 24, gracefulExit: false },
    Presets.shades_classic,
  );
  let begun = 0;
  return {
    begin: (steps) => bar.start(steps, 0, { name, step: 'starting' }),
    step: (step) => bar.update(begun++, { name, step }),
    [Symbol.dispose]: () => bar.stop(),
  };
}
