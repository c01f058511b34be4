/** The frame around a field: its label, its help, what is wrong with it. */
import type { ComponentChildren } from 'preact';
import { isRequired } from '../flow/validation.ts';
import { fieldErrorOf, idOf, type NodeProps, wordOf } from './kit.ts';

interface FieldProps extends NodeProps {
  readonly children: ComponentChildren;
  /** A group of choices has a legend; a single input a label. */
  readonly isGroup?: boolean;
  /** In place of the component's own label. */
  readonly label?: string | undefined;
}

export function Field({ node, kit, children, isGroup = false, label = labelOf(node.props['label']) }: FieldProps) {
  const id = idOf({ node, kit });
  const description = wordOf(node, 'description');
  const content = (
    <>
      {isGroup && description !== undefined && <p class="field-description">{description}</p>}
      {children}
      <FieldNotes node={node} kit={kit} />
    </>
  );
  const isLarge = node.props['label-variant'] === 'large';
  const labelClass = isLarge ? 'field-label large' : 'field-label';
  const optional = isRequired(node.type, node.props) ? null : <span class="optional"> · optional</span>;
  if (isGroup) {
    return (
      <fieldset class="field" aria-describedby={describedBy({ node, kit })}>
        <legend class={labelClass}>
          {label}
          {optional}
        </legend>
        {content}
      </fieldset>
    );
  }
  return (
    <div class="field">
      <label class={labelClass} for={id} id={`${id}-label`}>
        {label}
        {optional}
      </label>
      {content}
    </div>
  );
}

/** A range has a label for each of its ends. */
export function labelOf(label: unknown): string {
  if (typeof label === 'string') return label;
  if (typeof label !== 'object' || label === null) return '';
  return Object.values(label)
    .filter((text) => typeof text === 'string')
    .join(' – ');
}

export function FieldNotes({ node, kit }: NodeProps) {
  const id = idOf({ node, kit });
  const error = fieldErrorOf({ node, kit });
  const help = helpOf(node.props['helper-text']);
  if (error !== undefined) {
    return (
      <p class="field-error" id={`${id}-note`}>
        {error}
      </p>
    );
  }
  return help === '' ? null : (
    <p class="field-help" id={`${id}-note`}>
      {help}
    </p>
  );
}

function helpOf(help: unknown): string {
  return labelOf(help);
}

/** The id of the note below, where there is one. */
export function describedBy(props: NodeProps): string | undefined {
  const hasNote = fieldErrorOf(props) !== undefined || helpOf(props.node.props['helper-text']) !== '';
  return hasNote ? `${idOf(props)}-note` : undefined;
}
