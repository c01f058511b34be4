/** A JSON value as nested lists. Branches are drawn when they are opened. */
import { useState } from 'preact/hooks';
import type { JsonValue } from '../../../json.ts';
import {
  type Branch,
  childrenOf,
  concerns,
  isBranch,
  isOpenAtFirst,
  MAX_FULL_TEXT_CHARS,
  MAX_TEXT_CHARS,
  PAGE_SIZE,
  preview,
  sizeOf,
} from './tree-model.ts';

export interface Mark {
  readonly path: string;
  readonly message: string;
}

interface TreeProps {
  readonly label: string;
  readonly value: JsonValue;
  /** What is wrong, beside the field it is wrong with. */
  readonly marks?: readonly Mark[];
}

export function Tree({ label, value, marks = [] }: TreeProps) {
  return (
    <section class="tree" aria-label={label}>
      {isBranch(value) ? <Children value={value} path="" depth={0} marks={marks} /> : <Leaf value={value} />}
    </section>
  );
}

interface ChildrenProps {
  readonly value: JsonValue;
  readonly path: string;
  readonly depth: number;
  readonly marks: readonly Mark[];
}

function Children({ value, path, depth, marks }: ChildrenProps) {
  const [count, setCount] = useState(PAGE_SIZE);
  const size = sizeOf(value);
  if (size === 0) return <span class="tree-empty">{Array.isArray(value) ? '[ ]' : '{ }'}</span>;
  return (
    <ul>
      {childrenOf(value, path, count).map((branch) => (
        <Item key={branch.key} branch={branch} depth={depth} marks={marks} />
      ))}
      {size > count && (
        <li>
          <button type="button" class="link" onClick={() => setCount(count + PAGE_SIZE)}>
            {size - count} more
          </button>
        </li>
      )}
    </ul>
  );
}

function Item({
  branch,
  depth,
  marks,
}: {
  readonly branch: Branch;
  readonly depth: number;
  readonly marks: readonly Mark[];
}) {
  const { key, value, path } = branch;
  const own = marks.filter((mark) => mark.path === path);
  const isMarkedBelow = marks.some((mark) => mark.path !== path && concerns(mark.path, path));
  const [isOpen, setOpen] = useState(() => isMarkedBelow || isOpenAtFirst(value, depth + 1));
  const isFolded = isBranch(value) && sizeOf(value) > 0;
  return (
    <li class={own.length > 0 ? 'wrong' : ''}>
      {isFolded ? (
        <button type="button" class="tree-toggle" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          <span class="tree-key">{key}</span> <span class="tree-preview">{preview(value)}</span>
        </button>
      ) : (
        <>
          <span class="tree-key">{key}</span>{' '}
          {isBranch(value) ? <Children value={value} path={path} depth={depth} marks={[]} /> : <Leaf value={value} />}
        </>
      )}
      {own.map(({ message }) => (
        <span key={message} class="violation">
          {message}
        </span>
      ))}
      {isFolded && isOpen && <Children value={value} path={path} depth={depth + 1} marks={marks} />}
    </li>
  );
}

function Leaf({ value }: { readonly value: JsonValue }) {
  const [isFull, setFull] = useState(false);
  if (typeof value !== 'string')
    return <span class={`tree-${value === null ? 'null' : typeof value}`}>{String(value)}</span>;
  const shown = value.slice(0, isFull ? MAX_FULL_TEXT_CHARS : MAX_TEXT_CHARS);
  const rest = value.length - shown.length;
  return (
    <>
      <span class="tree-string">{shown}</span>
      {rest > 0 && (
        <button type="button" class="link" disabled={isFull} onClick={() => setFull(true)}>
          {rest} more characters
        </button>
      )}
    </>
  );
}
