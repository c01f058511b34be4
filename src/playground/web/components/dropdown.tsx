/** Dropdown: a button that opens the list of choices, with a search where the list is long. */
import { useMemo, useRef, useState } from 'preact/hooks';
import { SEARCHABLE_FROM } from '../flow/limits.ts';
import { type Option, optionsOf } from '../flow/options.ts';
import { OptionText } from './choice-groups.tsx';
import { fieldValue, type NodeProps, nameOf } from './kit.ts';
import { SheetField } from './sheet-field.tsx';

export function Dropdown(props: NodeProps) {
  const { node, kit } = props;
  const options = optionsOf(node.props['data-source']);
  const chosen = options.find(({ id }) => id === fieldValue(props));
  const choose = (option: Option) => {
    if (option.id !== chosen?.id) kit.change(nameOf(node), option.id, option.id);
  };
  return (
    <SheetField
      field={props}
      chosen={chosen?.title}
      placeholder="Choose"
      mark="caret"
      choices={(close) => (
        <OptionList
          options={options}
          chosen={chosen?.id}
          onChoose={(option) => {
            close();
            choose(option);
          }}
        />
      )}
    />
  );
}

interface OptionListProps {
  readonly options: readonly Option[];
  readonly chosen: string | undefined;
  onChoose(option: Option): void;
}

function OptionList({ options, chosen, onChoose }: OptionListProps) {
  const [search, setSearch] = useState('');
  const list = useRef<HTMLDivElement>(null);
  const found = useMemo(() => matching(options, search), [options, search]);
  const isSearchable = options.length > SEARCHABLE_FROM;
  const first = found.find(({ enabled }) => enabled)?.id;
  const focused = found.some(({ id, enabled }) => id === chosen && enabled) ? chosen : first;
  return (
    <>
      {isSearchable && (
        <input
          type="search"
          class="text-input search"
          aria-label="Search"
          placeholder={`Search ${options.length} choices`}
          data-autofocus
          value={search}
          onInput={(event) => setSearch(event.currentTarget.value)}
        />
      )}
      <div
        class="option-list"
        role="listbox"
        aria-label="Choices"
        ref={list}
        onKeyDown={(event) => moveFocus(event, list.current)}
      >
        {found.map((option) => (
          <button
            key={option.id}
            type="button"
            role="option"
            class="option"
            aria-selected={option.id === chosen}
            disabled={!option.enabled}
            tabIndex={option.id === focused ? 0 : -1}
            data-autofocus={!isSearchable && option.id === focused ? true : undefined}
            onClick={() => onChoose(option)}
          >
            <OptionText option={option} />
          </button>
        ))}
      </div>
      {found.length === 0 && (
        <p class="empty">{options.length === 0 ? 'There is nothing to choose.' : 'Nothing found.'}</p>
      )}
    </>
  );
}

function matching(options: readonly Option[], search: string): readonly Option[] {
  const wanted = search.trim().toLowerCase();
  if (wanted === '') return options;
  return options.filter(({ title, description }) => `${title} ${description ?? ''}`.toLowerCase().includes(wanted));
}

/** Arrow keys, Home and End go from one choice to the next. */
export function moveFocus(event: KeyboardEvent, list: HTMLElement | null): void {
  const choices = [...(list?.querySelectorAll<HTMLElement>('[role=option]:not(:disabled)') ?? [])];
  const at = choices.indexOf(document.activeElement as HTMLElement);
  const moves: Readonly<Record<string, number>> = {
    ArrowDown: at + 1,
    ArrowUp: at - 1,
    Home: 0,
    End: choices.length - 1,
  };
  const next = moves[event.key];
  if (next === undefined) return;
  event.preventDefault();
  choices[Math.min(Math.max(next, 0), choices.length - 1)]?.focus();
}
