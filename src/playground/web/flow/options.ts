/** The choices of a field, and what they do when chosen. */
import { isObject, type JsonObject, type JsonValue } from '../../../json.ts';
import { isEnabled } from './nodes.ts';

export interface Option {
  readonly id: string;
  readonly title: string;
  readonly description: string | undefined;
  readonly metadata: string | undefined;
  readonly enabled: boolean;
  /** Bare base64. */
  readonly image: string | undefined;
  readonly altText: string;
  /** `#RRGGBB`. */
  readonly color: string | undefined;
  readonly onSelect: JsonObject | undefined;
  readonly onUnselect: JsonObject | undefined;
}

export function optionsOf(dataSource: JsonValue | undefined): Option[] {
  if (!Array.isArray(dataSource)) return [];
  return dataSource.filter(isObject).flatMap((item) => {
    const { id, title, image, color } = item;
    if (typeof id !== 'string') return [];
    return [
      {
        id,
        title: typeof title === 'string' ? title : id,
        description: textOf(item['description']),
        metadata: textOf(item['metadata']),
        enabled: isEnabled(item),
        image: textOf(image),
        altText: textOf(item['alt-text']) ?? '',
        color: typeof color === 'string' && /^#[0-9a-f]{6}$/i.test(color) ? color : undefined,
        onSelect: actionOf(item['on-select-action']),
        onUnselect: actionOf(item['on-unselect-action']),
      },
    ];
  });
}

export function textOf(value: JsonValue | undefined): string | undefined {
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function actionOf(value: JsonValue | undefined): JsonObject | undefined {
  return isObject(value) ? value : undefined;
}

/** A list's items reach `data-source` as any other data: only its ids matter for what is selected. */
export function idsOf(dataSource: JsonValue | undefined): ReadonlySet<string> {
  return new Set(optionsOf(dataSource).map(({ id }) => id));
}
