/** The session so far as a test: what the person did, and the screens that came of it. */
import type { JsonObject } from '../../../json.ts';

export type StepEnd =
  | { readonly kind: 'screen'; readonly screen: string; readonly errorMessage: string | undefined }
  | { readonly kind: 'completed'; readonly params: JsonObject }
  /** The endpoint answered with this status. */
  | { readonly kind: 'rejected'; readonly status: number };

export type TestStep =
  | { readonly kind: 'open'; readonly flow: string; readonly token: TokenChoice; readonly end?: StepEnd | undefined }
  | { readonly kind: 'submit'; readonly data: JsonObject; readonly end?: StepEnd | undefined }
  | { readonly kind: 'back'; readonly end?: StepEnd | undefined }
  | { readonly kind: 'navigate'; readonly screen: string; readonly data: JsonObject }
  | { readonly kind: 'complete'; readonly params: JsonObject };

export type TokenChoice =
  | { readonly kind: 'random' }
  | { readonly kind: 'minted'; readonly user: string }
  | { readonly kind: 'dead' | 'custom'; readonly token: string };

export interface TestOptions {
  readonly flow: string;
  readonly apiVersion: string;
  readonly steps: readonly TestStep[];
}

/** A Vitest file that passes as it stands, in the folder of `app.ts`. */
export function toTest({ flow, apiVersion, steps }: TestOptions): string {
  const options = apiVersion === '3.0' ? ", { version: '3.0' }" : '';
  const lines = steps.filter(isSettled).flatMap(stepLines);
  return [
    "import { createPhone } from 'flowgate/testing';",
    "import { expect, test } from 'vitest';",
    "import app from './app.ts';",
    '',
    `test(${literal(titleOf(flow, steps))}, async () => {`,
    `  await using phone = createPhone(app${options});`,
    ...lines.map((line) => (line === '' ? '' : `  ${line}`)),
    '});',
    '',
  ].join('\n');
}

/** What a switch of the page made fail, or was not answered in time, is no part of a test. */
function isSettled(step: TestStep): boolean {
  return step.kind === 'navigate' || step.kind === 'complete' || step.end !== undefined;
}

function titleOf(flow: string, steps: readonly TestStep[]): string {
  const screens = steps.flatMap((step) => screenAfter(step) ?? []);
  const distinct = screens.filter((screen, index) => screen !== screens[index - 1]);
  return distinct.length > 0 ? `${flow} goes ${distinct.join(', ')}` : `${flow} opens`;
}

function screenAfter(step: TestStep): string | undefined {
  if (step.kind === 'navigate') return step.screen;
  if (step.kind === 'complete') return undefined;
  if (step.end?.kind === 'completed') return 'SUCCESS';
  return step.end?.kind === 'screen' ? step.end.screen : undefined;
}

function stepLines(step: TestStep): string[] {
  switch (step.kind) {
    case 'open':
      return ['', ...checked(openCall(step.flow, step.token), step.end)];
    case 'submit':
      return ['', ...checked(`phone.submit(${literal(step.data)})`, step.end)];
    case 'back':
      return ['', ...checked('phone.back()', step.end)];
    case 'navigate':
      return ['', `phone.navigate(${literal(step.screen)}, ${literal(step.data)});`];
    case 'complete':
      return ['', `await phone.sendCompletion(${literal(ownParams(step.params))});`];
  }
}

function openCall(flow: string, token: TokenChoice): string {
  if (token.kind === 'random') return `phone.open(${literal(flow)})`;
  const value =
    token.kind === 'minted'
      ? `await app.tokens.mint({ flow: ${literal(flow)}, user: ${literal(token.user)} })`
      : literal(token.token);
  return `phone.open(${literal(flow)}, { token: ${value} })`;
}

/** The call with what it leads to. */
function checked(call: string, end: StepEnd | undefined): string[] {
  if (end?.kind === 'rejected') return [`await expect(${call}).rejects.toMatchObject({ status: ${end.status} });`];
  const expectations = end ? expectationsOf(end) : [];
  return [`await ${call};`, ...expectations];
}

function expectationsOf(end: Exclude<StepEnd, { kind: 'rejected' }>): string[] {
  if (end.kind === 'completed') {
    return [
      "expect(phone.screen).toBe('SUCCESS');",
      `expect(phone.completed).toMatchObject(${literal(ownParams(end.params))});`,
    ];
  }
  const screen = `expect(phone.screen).toBe(${literal(end.screen)});`;
  if (end.errorMessage === undefined) return [screen];
  return [screen, `expect(phone.errorMessage).toBe(${literal(end.errorMessage)});`];
}

/** Without what every run makes anew. */
function ownParams({ flow_token: _token, flowgate_flow: _mark, ...own }: JsonObject): JsonObject {
  return own;
}

const SIMPLE_KEY = /^[A-Za-z_$][\w$]*$/;
const ONE_LINE_CHARS = 90;

/** JSON as people write it in TypeScript. */
export function literal(value: unknown, indent = '  '): string {
  if (typeof value === 'string') return quoted(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'undefined';
  const inner = `${indent}  `;
  const isList = Array.isArray(value);
  const items = isList
    ? value.map((item) => literal(item, inner))
    : Object.entries(value).map(([key, item]) => `${keyOf(key)}: ${literal(item, inner)}`);
  const [open, close] = isList ? ['[', ']'] : ['{', '}'];
  if (items.length === 0) return open + close;
  const padding = isList ? '' : ' ';
  const oneLine = `${open}${padding}${items.join(', ')}${padding}${close}`;
  if (oneLine.length + indent.length <= ONE_LINE_CHARS && !oneLine.includes('\n')) return oneLine;
  return `${open}\n${items.map((item) => `${inner}${item},\n`).join('')}${indent}${close}`;
}

/** `__proto__: x` would set the prototype. */
function keyOf(key: string): string {
  if (key === '__proto__') return "['__proto__']";
  return SIMPLE_KEY.test(key) ? key : quoted(key);
}

function quoted(text: string): string {
  const escaped = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'");
  return `'${escaped.replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')}'`;
}
