import { inspect } from 'node:util';
import { expect } from 'vitest';
import { GraphError } from '../../src/graph/client.ts';

/** How the call failed: it must, and as a GraphError that shows none of `secrets`. */
export async function graphFailureOf(call: Promise<unknown>, ...secrets: readonly string[]): Promise<GraphError> {
  const error = await call.then(
    () => expect.unreachable('the call must fail'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(GraphError);
  const shown = [inspect(error, { depth: null, showHidden: true }), JSON.stringify(error), String(error)].join('\n');
  for (const secret of secrets) expect(shown).not.toContain(secret);
  return error as GraphError;
}
