/** TextHeading, TextSubheading, TextBody, TextCaption and RichText. */
import type { JSX } from 'preact';
import type { JsonValue } from '../../../json.ts';
import { isTrue } from '../flow/evaluate.ts';
import type { NodeProps } from './kit.ts';
import { Markdown } from './markdown.tsx';

export function TextHeading({ node }: NodeProps) {
  return <h3 class="text-heading">{textOf(node.props['text'])}</h3>;
}

export function TextSubheading({ node }: NodeProps) {
  return <h3 class="text-subheading">{textOf(node.props['text'])}</h3>;
}

export function TextBody(props: NodeProps) {
  return <Text {...props} base="text-body" />;
}

export function TextCaption(props: NodeProps) {
  return <Text {...props} base="text-caption" />;
}

export function RichText({ node, kit }: NodeProps) {
  return (
    <div class="rich-text">
      <Markdown
        text={textOf(node.props['text'])}
        isRich={true}
        onLink={(url) => kit.press({ name: 'open_url', url })}
      />
    </div>
  );
}

function Text({ node, kit, base }: NodeProps & { readonly base: string }): JSX.Element {
  const weight = node.props['font-weight'];
  const style = [base, typeof weight === 'string' ? `weight-${weight.replaceAll(/[^a-z_]/g, '')}` : ''];
  if (isTrue(node.props['strikethrough'])) style.push('struck');
  const text = textOf(node.props['text']);
  if (!isTrue(node.props['markdown'])) return <p class={style.join(' ')}>{text}</p>;
  const onLink = (url: string) => kit.press({ name: 'open_url', url });
  return (
    <div class={style.join(' ')}>
      <Markdown text={text} isRich={false} onLink={onLink} />
    </div>
  );
}

/** A list of texts is one text, a line each. */
export function textOf(value: JsonValue | undefined): string {
  if (Array.isArray(value)) return value.map(textOf).join('\n');
  return value === undefined || value === null ? '' : String(value);
}
