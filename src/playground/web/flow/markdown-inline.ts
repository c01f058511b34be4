/** What stands inside a line of markdown: bold, italic, struck out, links, images that are in the text itself. */

export type Inline =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'bold' | 'italic' | 'struck'; readonly children: readonly Inline[] }
  | { readonly kind: 'link'; readonly children: readonly Inline[]; readonly url: string }
  | { readonly kind: 'image'; readonly alt: string; readonly src: string };

/** Deepest nesting of bold in italic in a link. */
const MAX_DEPTH = 6;

const MARKS = [
  { mark: '**', kind: 'bold' },
  { mark: '__', kind: 'bold' },
  { mark: '~~', kind: 'struck' },
  { mark: '*', kind: 'italic' },
  { mark: '_', kind: 'italic' },
] as const;

/** Where one of these stands, something may begin. */
const SPECIAL = /[*_~[!\\]/g;

export function parseInline(text: string, isRich: boolean, depth = 0): Inline[] {
  if (depth > MAX_DEPTH) return [{ kind: 'text', text }];
  const found: Inline[] = [];
  const reading: Reading = { isRich, depth, unclosed: new Set(), middle: -1 };
  let plain = '';
  let at = 0;
  const flush = () => {
    if (plain !== '') found.push({ kind: 'text', text: plain });
    plain = '';
  };
  while (at < text.length) {
    SPECIAL.lastIndex = at;
    const next = SPECIAL.exec(text)?.index ?? text.length;
    plain += text.slice(at, next);
    if (next === text.length) break;
    const match = inlineAt(text, next, reading);
    if (match?.inline) {
      flush();
      found.push(match.inline);
    } else plain += match?.plain ?? text[next];
    at = match?.next ?? next + 1;
  }
  flush();
  return found;
}

interface Reading {
  readonly isRich: boolean;
  readonly depth: number;
  /** Looked for to the end once, and not again. */
  readonly unclosed: Set<string>;
  /** Of the next link: where its text ends. */
  middle: number;
}

interface Match {
  readonly inline?: Inline;
  readonly plain?: string;
  readonly next: number;
}

function inlineAt(text: string, at: number, reading: Reading): Match | undefined {
  const char = text[at];
  if (char === '\\') return { plain: text[at + 1] ?? '\\', next: at + 2 };
  if (char === '!') return reading.isRich && text[at + 1] === '[' ? linkAt(text, at + 1, reading, true) : undefined;
  if (char === '[') return linkAt(text, at, reading, false);
  for (const { mark, kind } of MARKS) {
    if (!text.startsWith(mark, at)) continue;
    const end = closing(text, mark, at, reading.unclosed);
    if (end === undefined) continue;
    const children = parseInline(text.slice(at + mark.length, end), reading.isRich, reading.depth + 1);
    return { inline: { kind, children }, next: end + mark.length };
  }
  return undefined;
}

/** A mark embraces something, and `_` is no mark inside a word. */
function closing(text: string, mark: string, at: number, unclosed: Set<string>): number | undefined {
  const start = at + mark.length;
  if (unclosed.has(mark) || /\s/.test(text[start] ?? ' ')) return undefined;
  if (mark.startsWith('_') && /\w/.test(text[at - 1] ?? '')) return undefined;
  let end = text.indexOf(mark, start + 1);
  while (mark.length === 1 && end !== -1 && text[end + 1] === mark && text[end - 1] !== mark) {
    end = text.indexOf(mark, end + 2); // `**` inside `*` is another mark
  }
  while (end !== -1 && mark.length === 2 && text[end + 2] === mark[0]) end += 1; // of `***`, the last two close
  if (end === -1) unclosed.add(mark);
  return end === -1 ? undefined : end;
}

/** `[text](url)`: neither holds its own bracket. */
function linkAt(text: string, at: number, reading: Reading, isImage: boolean): Match | undefined {
  if (reading.middle < at) reading.middle = text.indexOf('](', at);
  const { middle, isRich, depth } = reading;
  if (middle === -1) reading.middle = text.length; // there is none in the rest
  if (middle === -1 || middle === text.length || text.lastIndexOf('[', middle) !== at) return undefined;
  const end = text.indexOf(')', middle);
  if (end === -1) reading.middle = text.length; // none after it ends either
  if (end === -1) return undefined;
  const label = text.slice(at + 1, middle);
  const url = text.slice(middle + 2, end).trim();
  if (!isImage)
    return { inline: { kind: 'link', children: parseInline(label, isRich, depth + 1), url }, next: end + 1 };
  if (!INLINE_IMAGE.test(url)) return { plain: label, next: end + 1 };
  return { inline: { kind: 'image', alt: label, src: url.replaceAll(/\s/g, '') }, next: end + 1 };
}

/** Nothing is ever loaded from elsewhere. */
const INLINE_IMAGE = /^data:image\/(?:png|jpe?g|webp);base64,\s*[A-Za-z0-9+/=]/i;
