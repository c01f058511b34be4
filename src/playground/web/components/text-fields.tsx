/** TextInput and TextArea. */
import { isTrue } from '../flow/evaluate.ts';
import { DEFAULTS } from '../flow/limits.ts';
import { isEnabled } from '../flow/nodes.ts';
import { count } from '../flow/validation.ts';
import { describedBy, Field } from './field.tsx';
import { fieldErrorOf, fieldValue, idOf, type NodeProps, nameOf } from './kit.ts';

interface Input {
  readonly isSecret: boolean;
  readonly mode: 'text' | 'decimal' | 'email' | 'tel' | 'numeric';
}

/** What the browser should offer: an on-screen keyboard, dots instead of letters. */
const INPUTS: Readonly<Record<string, Input>> = {
  text: { isSecret: false, mode: 'text' },
  number: { isSecret: false, mode: 'decimal' },
  email: { isSecret: false, mode: 'email' },
  password: { isSecret: true, mode: 'text' },
  passcode: { isSecret: true, mode: 'numeric' },
  phone: { isSecret: false, mode: 'tel' },
};
const TEXT: Input = { isSecret: false, mode: 'text' };

export function TextInput(props: NodeProps) {
  const { node, kit } = props;
  const { isSecret, mode } = INPUTS[String(node.props['input-type'])] ?? TEXT;
  const most = count(node.props['max-chars'], DEFAULTS.textInputChars);
  const value = String(fieldValue(props) ?? '');
  const common = {
    ...commonProps(props),
    inputMode: mode,
    value,
    autocomplete: 'off',
    onInput: (event: { currentTarget: HTMLInputElement }) => kit.change(nameOf(node), event.currentTarget.value),
  } as const;
  return (
    <Field {...props}>
      {isSecret ? <input {...common} type="password" /> : <input {...common} type="text" />}
      <Counter length={value.length} most={most} />
    </Field>
  );
}

export function TextArea(props: NodeProps) {
  const { node, kit } = props;
  const most = count(node.props['max-length'], DEFAULTS.textAreaChars);
  const value = String(fieldValue(props) ?? '');
  return (
    <Field {...props}>
      <textarea
        {...commonProps(props)}
        rows={3}
        value={value}
        onInput={(event) => kit.change(nameOf(node), event.currentTarget.value)}
      />
      <Counter length={value.length} most={most} />
    </Field>
  );
}

function commonProps(props: NodeProps) {
  const { node, kit } = props;
  return {
    id: idOf(props),
    name: nameOf(node),
    class: 'text-input',
    disabled: !isEnabled(node.props),
    readOnly: kit.isBusy,
    'aria-required': isTrue(node.props['required']),
    'aria-invalid': fieldErrorOf(props) !== undefined,
    'aria-describedby': describedBy(props),
  };
}

/** Shown once the text is nearly as long as it may be. */
function Counter({ length, most }: { readonly length: number; readonly most: number }) {
  if (length < most * 0.8) return null;
  return (
    <p class={length > most ? 'counter over' : 'counter'}>
      {length} / {most}
    </p>
  );
}
