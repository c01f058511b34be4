/** CheckboxGroup, RadioButtonsGroup and ChipsSelector. */
import { imageSource } from '../flow/images.ts';
import { isEnabled } from '../flow/nodes.ts';
import { type Option, optionsOf } from '../flow/options.ts';
import { Field } from './field.tsx';
import { fieldErrorOf, fieldValue, idOf, type NodeProps, nameOf } from './kit.ts';

export function CheckboxGroup(props: NodeProps) {
  return <Several {...props} itemClass="choice" />;
}

export function ChipsSelector(props: NodeProps) {
  return <Several {...props} itemClass="chip" />;
}

function Several({ itemClass, ...props }: NodeProps & { readonly itemClass: string }) {
  const { node, kit } = props;
  const chosen = chosenOf(props);
  const toggle = (id: string) => {
    const next = chosen.includes(id) ? chosen.filter((other) => other !== id) : [...chosen, id];
    kit.change(nameOf(node), next, id);
  };
  return (
    <Field {...props} isGroup={true}>
      <div class={`${itemClass}s`}>
        {optionsOf(node.props['data-source']).map((option) => (
          <label key={option.id} class={itemClass}>
            <input
              type="checkbox"
              checked={chosen.includes(option.id)}
              disabled={!option.enabled || !isEnabled(node.props)}
              aria-invalid={fieldErrorOf(props) !== undefined}
              onClick={(event) => kit.isBusy && event.preventDefault()}
              onChange={() => toggle(option.id)}
            />
            <OptionText option={option} />
          </label>
        ))}
      </div>
    </Field>
  );
}

export function RadioButtonsGroup(props: NodeProps) {
  const { node, kit } = props;
  const chosen = fieldValue(props);
  return (
    <Field {...props} isGroup={true}>
      <div class="choices">
        {optionsOf(node.props['data-source']).map((option) => (
          <label key={option.id} class="choice">
            <input
              type="radio"
              name={idOf(props)}
              checked={chosen === option.id}
              disabled={!option.enabled || !isEnabled(node.props)}
              onClick={(event) => kit.isBusy && event.preventDefault()}
              onChange={() => kit.change(nameOf(node), option.id, option.id)}
            />
            <OptionText option={option} />
          </label>
        ))}
      </div>
    </Field>
  );
}

function chosenOf(props: NodeProps): string[] {
  const value = fieldValue(props);
  return Array.isArray(value) ? value.filter((id) => typeof id === 'string') : [];
}

/** What an option shows, wherever it can be chosen. */
export function OptionText({ option }: { readonly option: Option }) {
  const image = imageSource(option.image);
  return (
    <>
      {image !== undefined && <img class="option-image" src={image} alt={option.altText} />}
      {option.color !== undefined && <span class="option-color" style={{ backgroundColor: option.color }} />}
      <span class="option-text">
        <span class="option-title">{option.title}</span>
        {option.description !== undefined && <span class="option-description">{option.description}</span>}
      </span>
      {option.metadata !== undefined && <span class="option-metadata">{option.metadata}</span>}
    </>
  );
}
