/**
 * What are batches worth: Flowgate against the same Flowgate that hands each request to Piscina as a task of its own?
 *
 * How to read it: both use the same threads and the same worker, so what differs is the price of a message across
 * threads, a request or a batch at a time. It shows in CPU per request first.
 */
import { createComparison } from './support/comparison.ts';

export const bench = createComparison({
  name: 'against-unbatched',
  question: 'What are batches worth, against a Piscina task a request?',
  variant: { file: 'unbatched', label: 'a task a request' },
});
