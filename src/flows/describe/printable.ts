/** Text of a Flow JSON on its way to a terminal or a source file, where some characters do more than show. */

/** Controls, line separators, what turns the direction of text, halves of surrogate pairs. */
const INVISIBLE = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** @returns `text` on one line, with what cannot be seen as `\uXXXX`. */
export function printable(text: string): string {
  return text.replace(INVISIBLE, (character) =>
    Array.from({ length: character.length }, (_, i) => escaped(character.charCodeAt(i))).join(''),
  );
}

function escaped(codeUnit: number): string {
  return `\\u${codeUnit.toString(16).padStart(4, '0')}`;
}
