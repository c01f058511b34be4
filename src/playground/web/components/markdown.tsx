/** Markdown as elements. */
import { useMemo } from 'preact/hooks';
import { type Block, parseMarkdown } from '../flow/markdown.ts';
import type { Inline } from '../flow/markdown-inline.ts';

interface MarkdownProps {
  readonly text: string;
  readonly isRich: boolean;
  onLink(url: string): void;
}

export function Markdown({ text, isRich, onLink }: MarkdownProps) {
  const blocks = useMemo(() => parseMarkdown(text, isRich), [text, isRich]);
  return (
    <>
      {blocks.map((block, index) => (
        <BlockView key={index} block={block} onLink={onLink} />
      ))}
    </>
  );
}

interface BlockProps {
  readonly block: Block;
  onLink(url: string): void;
}

function BlockView({ block, onLink }: BlockProps) {
  switch (block.kind) {
    case 'heading':
      return block.level === 1 ? (
        <h3 class="text-heading">
          <Inlines of={block.children} onLink={onLink} />
        </h3>
      ) : (
        <h3 class="text-subheading">
          <Inlines of={block.children} onLink={onLink} />
        </h3>
      );
    case 'paragraph':
      return (
        <p>
          <Inlines of={block.children} onLink={onLink} />
        </p>
      );
    case 'list': {
      const items = block.items.map((item, index) => (
        <li key={index}>
          <Inlines of={item} onLink={onLink} />
        </li>
      ));
      return block.isOrdered ? <ol>{items}</ol> : <ul>{items}</ul>;
    }
    case 'table':
      return <Table {...block} onLink={onLink} />;
  }
}

function Table({ head, rows, onLink }: Extract<Block, { kind: 'table' }> & { onLink(url: string): void }) {
  return (
    <table>
      <thead>
        <tr>
          {head.map((cell, index) => (
            <th key={index} scope="col">
              <Inlines of={cell} onLink={onLink} />
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row, index) => (
          <tr key={index}>
            {row.map((cell, at) => (
              <td key={at}>
                <Inlines of={cell} onLink={onLink} />
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Inlines({ of, onLink }: { readonly of: readonly Inline[]; onLink(url: string): void }) {
  return (
    <>
      {of.map((inline, index) => (
        <InlineView key={index} inline={inline} onLink={onLink} />
      ))}
    </>
  );
}

/** A link is shown, not followed. */
function InlineView({ inline, onLink }: { readonly inline: Inline; onLink(url: string): void }) {
  switch (inline.kind) {
    case 'text':
      return <>{inline.text}</>;
    case 'image':
      return <img class="inline-image" src={inline.src} alt={inline.alt} />;
    case 'link':
      return (
        <button type="button" class="link" onClick={() => onLink(inline.url)}>
          <Inlines of={inline.children} onLink={onLink} />
        </button>
      );
    case 'bold':
      return (
        <strong>
          <Inlines of={inline.children} onLink={onLink} />
        </strong>
      );
    case 'italic':
      return (
        <em>
          <Inlines of={inline.children} onLink={onLink} />
        </em>
      );
    case 'struck':
      return (
        <s>
          <Inlines of={inline.children} onLink={onLink} />
        </s>
      );
  }
}
