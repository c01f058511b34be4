/** A field that is a button: it shows what is chosen, and opens a sheet to choose from. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { isTrue } from '../flow/evaluate.ts';
import { isEnabled } from '../flow/nodes.ts';
import { describedBy, Field, labelOf } from './field.tsx';
import { fieldErrorOf, idOf, type NodeProps } from './kit.ts';
import { Sheet } from './sheet.tsx';

interface SheetFieldProps {
  readonly field: NodeProps;
  /** What is chosen, in words. */
  readonly chosen: string | undefined;
  readonly placeholder: string;
  readonly mark: 'caret' | 'calendar-mark';
  /** Of the sheet. @param close when something is chosen. */
  readonly choices: (close: () => void) => ComponentChildren;
}

export function SheetField({ field, chosen, placeholder, mark, choices }: SheetFieldProps) {
  const { node, kit } = field;
  const [isOpen, setOpen] = useState(false);
  const id = idOf(field);
  const close = () => setOpen(false);
  return (
    <Field {...field}>
      <button
        type="button"
        id={id}
        class="select"
        aria-haspopup="dialog"
        aria-expanded={isOpen}
        aria-labelledby={`${id}-label ${id}`}
        aria-describedby={describedBy(field)}
        data-invalid={fieldErrorOf(field) !== undefined}
        data-required={isTrue(node.props['required'])}
        disabled={!isEnabled(node.props)}
        onClick={() => !kit.isBusy && setOpen(true)}
      >
        <span class={chosen === undefined ? 'placeholder' : ''}>{chosen ?? placeholder}</span>
        <span aria-hidden="true" class={mark} />
      </button>
      {isOpen && (
        <Sheet title={labelOf(node.props['label'])} onClose={close}>
          {choices(close)}
        </Sheet>
      )}
    </Field>
  );
}
