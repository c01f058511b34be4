/** What every component of the phone gets. */
import type { JSX } from 'preact';
import type { JsonValue } from '../../../json.ts';
import type { MediaReport } from '../../api.ts';
import type { Node } from '../flow/nodes.ts';
import type { MediaInfo } from '../flow/phone-state.ts';
import type { View } from '../flow/view.ts';

export interface Kit {
  readonly view: View;
  /** Of the Flow JSON: 703 is 7.3. */
  readonly version: number;
  /** A request runs: nothing can be changed. */
  readonly isBusy: boolean;
  change(name: string, value: JsonValue | undefined, option?: string): void;
  press(action: JsonValue | undefined, isFooter?: boolean): void;
  upload(file: File): Promise<{ readonly media: MediaReport; readonly info: MediaInfo }>;
}

export interface NodeProps {
  readonly node: Node;
  readonly kit: Kit;
}

export type Draw = (props: NodeProps) => JSX.Element | null;

export function nameOf({ props }: Node): string {
  return typeof props['name'] === 'string' ? props['name'] : '';
}

export function fieldValue({ node, kit }: NodeProps): JsonValue | undefined {
  return kit.view.form[nameOf(node)];
}

/** Text that a property holds: a number counts. */
export function wordOf({ props }: Node, key: string): string | undefined {
  const value = props[key];
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** What the server says of the field, until it is changed; else what the field itself finds, once the person tried to go on. */
export function fieldErrorOf({ node, kit }: NodeProps): string | undefined {
  const name = nameOf(node);
  const { frame, errors } = kit.view;
  const said = node.props['error-message'];
  if (said !== undefined && said !== '' && !frame.edited.has(name)) return errorText(said);
  return frame.isTried ? errors[name] : undefined;
}

/** A range has one for each end, and a picker one for each file. */
function errorText(value: JsonValue): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return undefined;
  const texts = Object.values(value).filter((text) => typeof text === 'string' && text !== '');
  return texts.length > 0 ? texts.join(' ') : undefined;
}

/** Unique on the page, and the same from one drawing to the next. */
export function idOf({ node, kit }: NodeProps): string {
  return `f${kit.view.frame.id}-${node.key.replaceAll(/[^\w-]/g, '-')}`;
}
