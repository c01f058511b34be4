import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Block, parseMarkdown } from '../../../src/playground/web/flow/markdown.ts';
import { type Inline, parseInline } from '../../../src/playground/web/flow/markdown-inline.ts';

/** As HTML would look, to read the tests easily. */
const draw = (inlines: readonly Inline[]): string =>
  inlines
    .map((inline) => {
      if (inline.kind === 'text') return inline.text;
      if (inline.kind === 'image') return `<img ${inline.alt}>`;
      if (inline.kind === 'link') return `<a ${inline.url}>${draw(inline.children)}</a>`;
      return `<${inline.kind}>${draw(inline.children)}</${inline.kind}>`;
    })
    .join('');

const drawBlock = (block: Block): string => {
  if (block.kind === 'heading') return `h${block.level}: ${draw(block.children)}`;
  if (block.kind === 'paragraph') return `p: ${draw(block.children)}`;
  if (block.kind === 'list') return `${block.isOrdered ? 'ol' : 'ul'}: ${block.items.map(draw).join(' | ')}`;
  return `table: ${[block.head, ...block.rows].map((row) => row.map(draw).join(' | ')).join(' / ')}`;
};

describe('markdown', () => {
  test.each([
    ['plain', 'plain'],
    ['**bold** and *italic*', '<bold>bold</bold> and <italic>italic</italic>'],
    ['~~gone~~', '<struck>gone</struck>'],
    ['~~***all***~~', '<struck><bold><italic>all</italic></bold></struck>'],
    ['**a *b* c**', '<bold>a <italic>b</italic> c</bold>'],
    ['2 * 3 * 4', '2 * 3 * 4'],
    ['snake_case_name', 'snake_case_name'],
    ['**open', '**open'],
    ['\\*not italic\\*', '*not italic*'],
    ['[text](https://example.org)', '<a https://example.org>text</a>'],
    ['[**b**](https://example.org) after', '<a https://example.org><bold>b</bold></a> after'],
    ['[no link]', '[no link]'],
    ['[a [b](c)', '[a <a c>b</a>'],
    ['![alt](data:image/png;base64,iVBORw0K)', '<img alt>'],
    ['![alt](https://example.org/x.png)', 'alt'],
    ['![alt](data:image/svg+xml;base64,PHN2Zz4=)', 'alt'],
    ['<script>alert(1)</script>', '<script>alert(1)</script>'],
  ])('%j reads %j', (text, drawn) => {
    expect(draw(parseInline(text, true))).toBe(drawn);
  });

  test('has blocks', () => {
    const text =
      '# Title #\n## Sub\n### Body\none\ntwo\n\n- a\n- b\n1. c\n2. d\n| H | I |\n|---|:-:|\n| **1** | 2 |\nend';
    expect(parseMarkdown(text, true).map(drawBlock)).toEqual([
      'h1: Title',
      'h2: Sub',
      'p: Body',
      'p: one\ntwo',
      'ul: a | b',
      'ol: c | d',
      'table: H | I / <bold>1</bold> | 2',
      'p: end',
    ]);
  });

  test('of a caption has no headings, tables and images', () => {
    expect(
      parseMarkdown('# Title\n| a | b |\n|---|---|\n![x](data:image/png;base64,iVBORw0K)', false).map(drawBlock),
    ).toEqual(['p: # Title\n| a | b |\n|---|---|\n!<a data:image/png;base64,iVBORw0K>x</a>']);
  });

  test('loses no letter of a text without marks', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z <>&"']{0,40}$/), (text) => {
        expect(draw(parseInline(text, true))).toBe(text);
      }),
    );
  });

  test('of anything is read to its end', () => {
    const words = fc.constantFrom(
      '*',
      '**',
      '~~',
      '_',
      '[',
      ']',
      '](',
      ')',
      '!',
      '\\',
      '|',
      '---',
      '\n',
      '# ',
      '- ',
      '1. ',
      'a',
      ' ',
    );
    fc.assert(fc.property(fc.array(words), (list) => Array.isArray(parseMarkdown(list.join(''), true))));
  });

  test.each(['[', '*', '**', '_ ', '~~', '![', '[x](', '*a**', '-', '|', '#', ' #', '[a]('])(
    'of a hundred thousand %j is read before the test times out',
    (piece) => {
      parseMarkdown(`# ${piece.repeat(100_000)} x`, true);
      parseMarkdown(`${piece.repeat(100_000)}\n${piece.repeat(100_000)}x`, true); // the square would take hours
    },
  );
});
