/** The name a phone gives a file, made harmless: for people to read, never to find a file by. */

const MAX_NAME_BYTES = 200;
/** What is looked at: the patterns below take time with the square of the length. */
const MAX_INPUT_CHARS = 1_000;

/**
 * The last part of a path, without control and invisible characters and without dots and spaces around it; the end of
 * it, with the extension, where it is over 200 bytes.
 *
 * @returns undefined when nothing is left.
 */
export function safeName(name: unknown): string | undefined {
  if (typeof name !== 'string') return undefined;
  const lastPart = name.slice(-MAX_INPUT_CHARS).split(/[/\\]/).at(-1) ?? '';
  const visible = lastPart.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '').replace(/[<>:"|?*]/g, '_');
  return trimmed(endOf(trimmed(visible))) || undefined;
}

function trimmed(name: string): string {
  return name.replace(/^[.\s]+|[.\s]+$/g, '');
}

/** By whole characters, as many as fit. */
function endOf(name: string): string {
  const characters = [...name];
  let bytes = Buffer.byteLength(name);
  let first = 0;
  while (bytes > MAX_NAME_BYTES) bytes -= Buffer.byteLength(characters[first++] ?? '');
  return characters.slice(first).join('');
}
