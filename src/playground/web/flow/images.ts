/** Bare base64 of Flow JSON as an address that an image element takes. */

const TYPES: readonly (readonly [string, string])[] = [
  ['/9j/', 'image/jpeg'],
  ['iVBORw0K', 'image/png'],
  ['UklGR', 'image/webp'],
  ['R0lGOD', 'image/gif'],
];

/** @returns undefined for what is no image that clients show: an address, SVG, text. */
export function imageSource(base64: unknown): string | undefined {
  if (typeof base64 !== 'string') return undefined;
  const type = TYPES.find(([start]) => base64.startsWith(start))?.[1];
  return type && `data:${type};base64,${base64}`;
}
