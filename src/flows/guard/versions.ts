/** Versions of Flow JSON, as numbers that compare: 7.3 is 703. */

/** The newest whose components are known here. */
export const NEWEST = 703;

/** @returns undefined for what is no version. */
export function parseVersion(version: unknown): number | undefined {
  const [, major, minor] = /^(\d{1,3})\.(\d{1,2})$/.exec(typeof version === 'string' ? version : '') ?? [];
  return major === undefined ? undefined : Number(major) * 100 + Number(minor);
}

/** `703` is `7.3`. */
export function formatVersion(version: number): string {
  return `${Math.floor(version / 100)}.${version % 100}`;
}
