/**
 * What is the worker pool worth: Flowgate against the same Flowgate that does RSA on its main thread?
 *
 * How to read it: the ratio of throughputs is what the second core gives, and cannot pass the number of cores; the
 * loop delay is what everything else in the process pays for doing without.
 */
import { createComparison } from './support/comparison.ts';
import { TARGETS } from './support/targets.ts';

export const bench = createComparison({
  name: 'against-inline',
  question: 'What is the worker pool worth, against RSA on the main thread?',
  variant: { file: 'inline', label: 'RSA on the main thread' },
  target: TARGETS.againstInline,
});
