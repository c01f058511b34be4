/**
 * The markdown of RichText, TextBody and TextCaption, read into a tree: drawn as elements, never as HTML.
 *
 * Headings, paragraphs, lists of one level, tables, bold, italic, struck out, links, and images that are in the text
 * itself. Time grows with the length of the text, whatever it says.
 */

import { type Inline, parseInline } from './markdown-inline.ts';

export type Block =
  | { readonly kind: 'heading'; readonly level: 1 | 2; readonly children: readonly Inline[] }
  | { readonly kind: 'paragraph'; readonly children: readonly Inline[] }
  | { readonly kind: 'list'; readonly isOrdered: boolean; readonly items: readonly (readonly Inline[])[] }
  | { readonly kind: 'table'; readonly head: Row; readonly rows: readonly Row[] };

export type Row = readonly (readonly Inline[])[];

/** @param isRich false for TextBody and TextCaption, which have no headings, tables and images. */
export function parseMarkdown(text: string, isRich: boolean): Block[] {
  const lines = text.split(/\r?\n/);
  const blocks: Block[] = [];
  for (let at = 0; at < lines.length; ) {
    const { block, next } = readBlock(lines, at, isRich);
    if (block) blocks.push(block);
    at = next;
  }
  return blocks;
}

interface Read {
  readonly block: Block | undefined;
  readonly next: number;
}

const ITEM = /^\s{0,3}(?:([-+*])|(\d{1,9})[.)])\s+(.*)$/;
const HEADING = /^\s{0,3}(#{1,6})\s+(.*)$/;

function readBlock(lines: readonly string[], at: number, isRich: boolean): Read {
  const line = lines[at] ?? '';
  if (line.trim() === '') return { block: undefined, next: at + 1 };
  const [, marks, title] = (isRich && HEADING.exec(line)) || [];
  if (marks !== undefined) return { block: heading(marks.length, title ?? ''), next: at + 1 };
  if (ITEM.test(line)) return readList(lines, at, isRich);
  if (isRich && line.includes('|') && isRuler(lines[at + 1] ?? '')) return readTable(lines, at);
  return readParagraph(lines, at, isRich);
}

/** The line between a table's head and its rows. */
function isRuler(line: string): boolean {
  if (!line.includes('---')) return false;
  const cells = line.trim().split('|');
  const inner = cells.slice(cells[0] === '' ? 1 : 0, cells.at(-1) === '' ? -1 : undefined);
  return inner.length > 0 && inner.every((cell) => /^:?-+:?$/.test(cell.trim()));
}

/** Marks at its end belong to the heading, too. */
function heading(level: number, line: string): Block {
  let end = line.length;
  while (line[end - 1] === '#' || line[end - 1] === ' ') end -= 1;
  const children = parseInline(line.slice(0, end), true);
  return level === 1 || level === 2 ? { kind: 'heading', level, children } : { kind: 'paragraph', children };
}

function readList(lines: readonly string[], start: number, isRich: boolean): Read {
  const items: Inline[][] = [];
  const isOrdered = ITEM.exec(lines[start] ?? '')?.[2] !== undefined;
  let at = start;
  for (; at < lines.length; at++) {
    const [, , number, text] = ITEM.exec(lines[at] ?? '') ?? [];
    if (text === undefined || (number !== undefined) !== isOrdered) break;
    items.push(parseInline(text, isRich));
  }
  return { block: { kind: 'list', isOrdered, items }, next: at };
}

function readTable(lines: readonly string[], start: number): Read {
  const rows: Row[] = [];
  let at = start + 2;
  for (; (lines[at] ?? '').includes('|'); at++) rows.push(cellsOf(lines[at] ?? ''));
  return { block: { kind: 'table', head: cellsOf(lines[start] ?? ''), rows }, next: at };
}

function cellsOf(line: string): Row {
  const bare = line.trim().replace(/^\|/, '').replace(/\|$/, '');
  return bare.split('|').map((cell) => parseInline(cell.trim(), true));
}

function readParagraph(lines: readonly string[], start: number, isRich: boolean): Read {
  let at = start + 1;
  while (at < lines.length && !beginsBlock(lines[at] ?? '', lines[at + 1] ?? '', isRich)) at += 1;
  const text = lines.slice(start, at).join('\n');
  return { block: { kind: 'paragraph', children: parseInline(text, isRich) }, next: at };
}

function beginsBlock(line: string, after: string, isRich: boolean): boolean {
  if (line.trim() === '' || ITEM.test(line)) return true;
  return isRich && (HEADING.test(line) || (line.includes('|') && isRuler(after)));
}
