/** Lengths of time as an app's author writes them, with their unit: `'90s'`, `'10m'`, `'3d'`. */

const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

export type Duration = `${number}${keyof typeof UNIT_MS}`;

const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;

/**
 * @param name of the option, for the message.
 * @param max the longest it may be.
 * @throws TypeError for what is no length of time, or beyond 1 ms to `max`.
 */
export function toMs(name: string, duration: Duration, max: Duration): number {
  const ms = parse(duration);
  const maxMs = parse(max) ?? Number.POSITIVE_INFINITY;
  if (ms === undefined || ms < 1 || ms > maxMs) {
    throw new TypeError(`${name} must be a length of time up to ${max}, like '90s', '10m' or '3d'`);
  }
  return ms;
}

function parse(duration: string): number | undefined {
  const [, count, unit] = DURATION.exec(duration) ?? [];
  return count === undefined ? undefined : Math.round(Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS]);
}
