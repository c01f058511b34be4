/** What the phone shows, computed from what it remembers. */
import type { JsonObject } from '../../../json.ts';
import type { Scope } from './bindings.ts';
import type { Flow, Screen } from './flow.ts';
import { type FieldSource, fieldSources, formOf } from './form.ts';
import { type Node, nodesOf } from './nodes.ts';
import type { Frame, PhoneState, Snapshot } from './phone-state.ts';
import { errorsOf } from './validation.ts';

export interface View {
  readonly frame: Frame;
  /** Undefined when the Flow JSON has no such screen, or there is none. */
  readonly screen: Screen | undefined;
  readonly form: JsonObject;
  readonly scope: Scope;
  readonly nodes: readonly Node[];
  /** By field name: what the fields themselves find. */
  readonly errors: Readonly<Record<string, string>>;
}

const VIEWS = new WeakMap<PhoneState, View | undefined>();

/** @returns undefined where no screen is open. The same object for the same state. */
export function viewOf(state: PhoneState): View | undefined {
  if (VIEWS.has(state)) return VIEWS.get(state);
  const frame = state.frames.at(-1);
  const view = frame && viewOfFrame(frame, state);
  VIEWS.set(state, view);
  return view;
}

export function viewOfFrame(frame: Frame, { flow, snapshots }: PhoneState): View {
  const screen = flow.screens.get(frame.screen);
  const withoutForm: Scope = { data: frame.data, form: {}, screens: snapshots };
  const form = formOf(sourcesOf(flow, frame.screen), frame.touched, withoutForm);
  const scope = { ...withoutForm, form, screens: withThis(snapshots, frame, form) };
  const nodes = nodesOf(screen?.children ?? [], flow.version, scope);
  return { frame, screen, form, scope, nodes, errors: errorsOf(nodes, form) };
}

function withThis(
  snapshots: PhoneState['snapshots'],
  { screen, data }: Frame,
  form: JsonObject,
): Map<string, Snapshot> {
  return new Map([...snapshots, [screen, { data, form }]]);
}

const SOURCES = new WeakMap<Screen, readonly FieldSource[]>();

export function sourcesOf(flow: Flow, id: string): readonly FieldSource[] {
  const screen = flow.screens.get(id);
  if (!screen) return [];
  const known = SOURCES.get(screen) ?? fieldSources(screen.children);
  SOURCES.set(screen, known);
  return known;
}
