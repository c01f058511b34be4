/** How many requests a closed loop can use up. */
import { cpus } from 'node:os';
import type { Scale } from './scale.ts';

/**
 * No server answers faster than every core can unwrap, nor a connection faster than one core can.
 *
 * @param rawMicros CPU of one bare unwrap.
 */
export function stockSize({ warmUpMs, measuredMs }: Scale, connections: number, rawMicros: number): number {
  const perSec = (Math.min(cpus().length, connections) * 1e6) / rawMicros;
  return Math.ceil((perSec * (warmUpMs + measuredMs)) / 1_000) + connections;
}
