/** Which function draws which component. What is in no list is shown as a labelled box, never left out. */
import { CheckboxGroup, ChipsSelector, RadioButtonsGroup } from './choice-groups.tsx';
import { CalendarPicker, DatePicker } from './dates.tsx';
import { Dropdown } from './dropdown.tsx';
import { DocumentPicker, PhotoPicker } from './files.tsx';
import { Footer } from './footer.tsx';
import { Image, ImageCarousel } from './images.tsx';
import type { Draw, NodeProps } from './kit.ts';
import { EmbeddedLink, NavigationList, OptIn } from './links.tsx';
import { RichText, TextBody, TextCaption, TextHeading, TextSubheading } from './text.tsx';
import { TextArea, TextInput } from './text-fields.tsx';

const DRAW: ReadonlyMap<string, Draw> = new Map<string, Draw>(
  Object.entries({
    TextHeading,
    TextSubheading,
    TextBody,
    TextCaption,
    RichText,
    TextInput,
    TextArea,
    CheckboxGroup,
    RadioButtonsGroup,
    ChipsSelector,
    Dropdown,
    DatePicker,
    CalendarPicker,
    OptIn,
    EmbeddedLink,
    NavigationList,
    Image,
    ImageCarousel,
    PhotoPicker,
    DocumentPicker,
    Footer,
  }),
);

export function NodeView(props: NodeProps) {
  const { node } = props;
  const Component = node.unknown === undefined ? DRAW.get(node.type) : undefined;
  if (!Component) return <UnknownBox {...props} />;
  return (
    <>
      <Component {...props} />
      {node.missing.length > 0 && <Missing bindings={node.missing} />}
    </>
  );
}

function UnknownBox({ node }: NodeProps) {
  const { name } = node.component;
  return (
    <section class="unknown" data-unknown={node.type} aria-label={`Unknown component ${node.type}`}>
      <strong>{node.type}</strong>
      {typeof name === 'string' && <code>{name}</code>}
      <span>{node.unknown ?? 'The playground cannot draw it.'}</span>
    </section>
  );
}

/** What a real phone would leave empty without a word. */
function Missing({ bindings }: { readonly bindings: readonly string[] }) {
  return (
    <p class="missing">
      No value for{' '}
      {bindings.slice(0, 3).map((binding) => (
        <code key={binding}>{binding}</code>
      ))}
      {bindings.length > 3 && ` and ${bindings.length - 3} more`}
    </p>
  );
}
