/** Names of a Flow JSON, which anyone may have written, as TypeScript source: nothing in them can end its literal. */
import { printable } from './printable.ts';

/** Of ASCII: which other characters make an identifier depends on the Unicode version of whoever reads the source. */
const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;

/** Of an object type. */
export function propertyKey(name: string): string {
  return IDENTIFIER.test(name) ? name : stringLiteral(name);
}

/** In the quotes that need fewer escapes, single ones first: as formatters have it. */
export function stringLiteral(text: string): string {
  const quote = count(text, "'") > count(text, '"') ? '"' : "'";
  return quote + printable(text.replaceAll('\\', '\\\\').replaceAll(quote, `\\${quote}`)) + quote;
}

function count(text: string, character: string): number {
  return text.split(character).length - 1;
}
