/** OptIn, EmbeddedLink and NavigationList. */
import { isObject, type JsonObject, type JsonValue } from '../../../json.ts';
import { imageSource } from '../flow/images.ts';
import { isEnabled } from '../flow/nodes.ts';
import { FieldNotes } from './field.tsx';
import { fieldErrorOf, fieldValue, idOf, type NodeProps, nameOf, wordOf } from './kit.ts';
import { textOf } from './text.tsx';

export function OptIn(props: NodeProps) {
  const { node, kit } = props;
  const id = idOf(props);
  return (
    <div class="field opt-in">
      <input
        type="checkbox"
        id={id}
        checked={fieldValue(props) === true}
        disabled={!isEnabled(node.props)}
        aria-invalid={fieldErrorOf(props) !== undefined}
        aria-describedby={fieldErrorOf(props) === undefined ? undefined : `${id}-note`}
        onClick={(event) => kit.isBusy && event.preventDefault()}
        onChange={(event) => kit.change(nameOf(node), event.currentTarget.checked)}
      />
      <div>
        <label for={id}>{wordOf(node, 'label')}</label>{' '}
        {node.component['on-click-action'] !== undefined && (
          <button type="button" class="link" onClick={() => kit.press(node.component['on-click-action'])}>
            Read more
          </button>
        )}
        <FieldNotes {...props} />
      </div>
    </div>
  );
}

export function EmbeddedLink({ node, kit }: NodeProps) {
  return (
    <p>
      <button type="button" class="link" onClick={() => kit.press(node.component['on-click-action'])}>
        {wordOf(node, 'text')}
      </button>
    </p>
  );
}

export function NavigationList({ node, kit }: NodeProps) {
  const items = Array.isArray(node.props['list-items']) ? node.props['list-items'].filter(isObject) : [];
  const press = (item: JsonObject) => {
    const id = typeof item['id'] === 'string' ? item['id'] : undefined;
    if (kit.isBusy) return;
    if (id !== undefined) kit.change(nameOf(node), id);
    kit.press(item['on-click-action'] ?? node.component['on-click-action']);
  };
  return (
    <section class="navigation-list" aria-label={wordOf(node, 'label') ?? 'List'}>
      {wordOf(node, 'label') !== undefined && <p class="text-subheading">{wordOf(node, 'label')}</p>}
      {wordOf(node, 'description') !== undefined && <p class="text-caption">{wordOf(node, 'description')}</p>}
      <ul>
        {items.map((item, index) => (
          <li key={String(item['id'] ?? index)}>
            <button
              type="button"
              class={node.props['media-size'] === 'large' ? 'list-item large' : 'list-item'}
              onClick={() => press(item)}
            >
              <ListItem item={item} />
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function ListItem({ item }: { readonly item: JsonObject }) {
  const start = isObject(item['start']) ? item['start'] : {};
  const image = imageSource(start['image']);
  const tags = Array.isArray(item['tags']) ? item['tags'] : [];
  return (
    <>
      {image !== undefined && <img class="option-image" src={image} alt={String(start['alt-text'] ?? '')} />}
      <span class="option-text">
        <Lines of={item['main-content']} />
        {tags.length > 0 && (
          <span class="tags">
            {tags.map((tag, index) => (
              <span key={index} class="tag">
                {textOf(tag)}
              </span>
            ))}
          </span>
        )}
      </span>
      {typeof item['badge'] === 'string' && <span class="badge">{item['badge']}</span>}
      {isObject(item['end']) && (
        <span class="list-end">
          <Lines of={item['end']} />
        </span>
      )}
      <span class="chevron" aria-hidden="true" />
    </>
  );
}

function Lines({ of }: { readonly of: JsonValue | undefined }) {
  const { title, description, metadata } = isObject(of) ? of : {};
  return (
    <>
      {title !== undefined && <span class="option-title">{textOf(title)}</span>}
      {description !== undefined && <span class="option-description">{textOf(description)}</span>}
      {metadata !== undefined && <span class="option-metadata">{textOf(metadata)}</span>}
    </>
  );
}
