/** A field gets another value: what is then to be done besides remembering it. */
import { isObject, type JsonObject, type JsonValue } from '../../../json.ts';
import { runAction } from './actions.ts';
import { rangeOf } from './date-rules.ts';
import { still } from './moves.ts';
import type { Node } from './nodes.ts';
import { optionsOf } from './options.ts';
import type { PhoneState, Step } from './phone-state.ts';
import { viewOf } from './view.ts';

interface Change {
  readonly name: string;
  readonly value: JsonValue | undefined;
  /** Of a choice: the one that was ticked or unticked. */
  readonly option?: string;
}

/** Runs the option's own action, then the component's. */
export function change(state: PhoneState, { name, value, option }: Change): Step {
  const view = viewOf(state);
  const node = view?.nodes.find(({ props }) => props['name'] === name);
  if (!view || !node) return still(state);
  const before = view.form[name];
  const touched = { ...view.frame.touched, [name]: value };
  const edited = new Set([...view.frame.edited, name]);
  const changed: PhoneState = { ...state, frames: [...state.frames.slice(0, -1), { ...view.frame, touched, edited }] };
  const isSelected = isSelection(node, value, option);
  const actions = [...optionActions(node, before, value, option), componentAction(node, isSelected, value)];
  let last = still(changed);
  for (const action of actions) {
    if (action && !last.state.pending) last = runAction(last.state, action);
  }
  return last;
}

function isSelection({ type }: Node, value: JsonValue | undefined, option: string | undefined): boolean {
  if (type === 'OptIn') return value === true;
  if (Array.isArray(value) && option !== undefined) return value.includes(option);
  return value !== undefined && value !== '';
}

/** Of a single choice, the one chosen before is let go. */
function optionActions(
  { props }: Node,
  before: JsonValue | undefined,
  value: JsonValue | undefined,
  option: string | undefined,
): (JsonObject | undefined)[] {
  const options = optionsOf(props['data-source']);
  const find = (id: JsonValue | undefined) => options.find((candidate) => candidate.id === id);
  if (Array.isArray(value)) {
    const ticked = find(option);
    return [option !== undefined && value.includes(option) ? ticked?.onSelect : ticked?.onUnselect];
  }
  return before === value ? [] : [find(before)?.onUnselect, find(value)?.onSelect];
}

/** Without an `on-unselect-action`, the other one stands for both. A range counts once it has its two days. */
function componentAction(
  { component }: Node,
  isSelected: boolean,
  value: JsonValue | undefined,
): JsonObject | undefined {
  const { 'on-select-action': onSelect, 'on-unselect-action': onUnselect } = component;
  if (component.type === 'CalendarPicker' && isObject(value)) {
    const { start, end } = rangeOf(value);
    if (start === undefined || end === undefined) return undefined;
  }
  const action =
    isSelected || component.type === 'OptIn' ? (isSelected ? onSelect : onUnselect) : (onUnselect ?? onSelect);
  return isObject(action) ? action : undefined;
}
