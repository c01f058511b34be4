/**
 * What is Flowgate worth against a Flow endpoint as one starts out with it, on Express?
 *
 * How to read it: the baseline parses its private key on every request and has one thread. Both give the same answers
 * to the same requests.
 */
import { createComparison } from './support/comparison.ts';
import { TARGETS } from './support/targets.ts';

export const bench = createComparison({
  name: 'against-naive',
  question: 'What is Flowgate worth, against a naive Express endpoint?',
  variant: { file: 'naive', label: 'naive Express' },
  target: TARGETS.againstNaive,
});
