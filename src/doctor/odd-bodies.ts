/** JSON that means the same however it is written, and whose bytes tell whoever rewrites it. */
import type { Envelope } from '../testing/wire.ts';

/** Text of further members of the envelope, which the endpoint overlooks, by what would change it. */
export const ODD_BODIES = {
  'spaces and line breaks': ' "spaces" :\t[ 1,2 ,\r\n 3 ] ,\n',
  escapes: '"escapes":"a\\/b \\u00e9 \\u003c \\ud83d\\ude00",',
  'characters beyond ASCII': '"characters":"é € 😀",',
  numbers: '"numbers":[1.50,1E+2,10000000000000000001],',
} as const;

/** The envelope with these members before its own. */
export function oddBody(envelope: Envelope, oddities: readonly string[]): string {
  return `{${oddities.join('')}${JSON.stringify(envelope).slice(1)}`;
}
