/**
 * Checks an answer against the Flow JSON before it is sealed: what a client would refuse is found where it was made.
 *
 * A Flow is compiled once to closures; an answer that is fine then costs a few microseconds and no allocation that
 * grows with it (bench/reply-guard.ts). The guard lets pass whatever it is not sure of: a component, a property or a
 * version that it does not know is a warning, and an answer that a client would take is never refused.
 */
import { isObject, type JsonObject } from '../../json.ts';
import type { FlowJson } from '../flow-json.ts';
import type { FlowAction } from '../protocol.ts';
import { SUCCESS } from '../reply.ts';
import { type Catalogue, catalogueOf } from './components.ts';
import { compileModel } from './model.ts';
import { type Routing, routingOf } from './routing.ts';
import { compileScreen, type DataCheck } from './screen-checks.ts';
import { formatVersion, NEWEST, parseVersion } from './versions.ts';
import { MAX_VIOLATIONS, safeName, type Violation, Walk } from './walk.ts';

export { GUARD_RULES, type GuardRule, MAX_VIOLATIONS, type Violation } from './walk.ts';

export interface GuardedAnswer {
  readonly action: FlowAction;
  /** The screen that the request named. */
  readonly currentScreen: string | undefined;
  readonly screen: string;
  /** With `error_message` and base data, as it is sent. */
  readonly data: object;
}

export interface ReplyGuard {
  /** What of the Flow JSON is not checked, and why. */
  readonly warnings: readonly string[];
  /** @returns at most 20 violations; none for an answer that a client takes. */
  check(answer: GuardedAnswer): readonly Violation[];
}

/** Meta's bound on what goes over the data channel: 1 MB, read as the larger of the two. */
export const MAX_ANSWER_BYTES = 1024 * 1024;
const MAX_WARNINGS = 50;
const NONE: readonly Violation[] = [];

/** Takes what `checkFlowJson` finds no fatal problem in; of anything else it checks what it can. */
export function compileGuard(json: FlowJson): ReplyGuard {
  const warnings = new Set<string>();
  const known = knownScreens(json);
  const routing = routingOf(
    json,
    known.map(({ id }) => id),
  );
  const catalogue = knownCatalogue(json?.version, warnings);
  const screens = new Map(known.map((screen) => [screen.id, compileScreenCheck(screen, catalogue, warnings)]));
  return {
    warnings: [...warnings].slice(0, MAX_WARNINGS),
    check: (answer) => {
      if (answer.screen === SUCCESS) return NONE;
      const check = screens.get(answer.screen);
      if (!check) return [unknownScreen(answer.screen)];
      const walk = new Walk(answer.screen);
      checkMove(answer, routing, walk);
      check(answer.data, walk);
      return walk.violations;
    },
  };
}

/**
 * Checks an answer as it is, and believes what it finds only when the JSON text of the answer says the same: a Date, a
 * class with `toJSON` or an `undefined` are something else in there.
 *
 * @param text the answer as it is sealed: `{"screen":...,"data":...}`.
 */
export function checkReply(guard: ReplyGuard, answer: GuardedAnswer, text: string): readonly Violation[] {
  const tooLarge = checkSize(text, answer.screen);
  const suspected = guard.check(answer);
  const found = suspected.length === 0 ? NONE : guard.check({ ...answer, data: dataIn(text) });
  return tooLarge ? [tooLarge, ...found].slice(0, MAX_VIOLATIONS) : found;
}

/** @param text the answer before it is sealed. Counts its bytes only where its length leaves a doubt. */
export function checkSize(text: string, screen = ''): Violation | undefined {
  if (text.length * 3 <= MAX_ANSWER_BYTES) return undefined;
  const bytes = Buffer.byteLength(text);
  if (bytes <= MAX_ANSWER_BYTES) return undefined;
  const message = `an answer must have at most ${MAX_ANSWER_BYTES} bytes, this has ${bytes}: send smaller images or a page`;
  return { screen: safeName(screen), key: '', rule: 'size', message };
}

function dataIn(text: string): object {
  const reply: unknown = JSON.parse(text);
  const data = isObject(reply) ? reply['data'] : undefined;
  return isObject(data) ? data : {};
}

type KnownScreen = JsonObject & { readonly id: string };

function knownScreens(json: unknown): KnownScreen[] {
  const screens = isObject(json) && Array.isArray(json['screens']) ? json['screens'] : [];
  return screens.filter((screen): screen is KnownScreen => isObject(screen) && typeof screen['id'] === 'string');
}

/** Its name is a label nowhere, and in the message only when it looks like the name of a screen. */
function unknownScreen(screen: string): Violation {
  const name = /^[A-Za-z_]{1,64}$/.test(screen) ? ` ${screen}` : '';
  return { screen: '?', key: '', rule: 'screen', message: `the Flow JSON has no screen${name}` };
}

/** @returns undefined for a version whose limits may be others. */
function knownCatalogue(given: unknown, warnings: Set<string>): Catalogue | undefined {
  const version = parseVersion(given);
  if (version !== undefined && version <= NEWEST) return catalogueOf(version);
  const what = version === undefined ? 'a Flow JSON without a version' : `Flow JSON ${formatVersion(version)}`;
  warnings.add(`${what} is not known, the newest is ${formatVersion(NEWEST)}: limits of components are not checked`);
  return undefined;
}

function compileScreenCheck(screen: KnownScreen, catalogue: Catalogue | undefined, warnings: Set<string>): DataCheck {
  const checkModel = compileModel(screen['data']);
  if (!catalogue) return checkModel;
  const warn = (message: string) => warnings.add(`screen ${safeName(screen.id)}: ${message}, and not checked`);
  const checkComponents = compileScreen(screen['layout'], catalogue, warn);
  return (data, walk) => {
    checkModel(data, walk);
    if (isObject(data)) checkComponents(data, walk);
  };
}

/** Who comes from a screen that this Flow JSON does not have has another version of it: nothing is known of the move. */
function checkMove({ action, currentScreen, screen }: GuardedAnswer, routing: Routing, walk: Walk): void {
  const from = currentScreen === undefined || currentScreen === '' ? undefined : routing.from.get(currentScreen);
  if (action === 'INIT') checkEntry(from && currentScreen, screen, routing, walk);
  else if (from && !from.has(screen)) {
    walk.report('route', `from ${safeName(currentScreen ?? '')} an answer may show ${listOf(from)}`);
  }
}

function checkEntry(asked: string | undefined, screen: string, { entries }: Routing, walk: Walk): void {
  if (asked !== undefined && asked !== screen) walk.report('entry', `INIT asked for ${safeName(asked)}`);
  else if (asked === undefined && !entries.has(screen)) {
    walk.report('entry', `INIT may show a screen without a route to it: ${listOf(entries)}`);
  }
}

function listOf(screens: ReadonlySet<string>): string {
  return [...screens].map(safeName).join(', ');
}
