/** Flow JSONs of one screen, and what the guard says of data for them. */
import { readFileSync } from 'node:fs';
import type { FlowJson } from '../../../src/flows/flow-json.ts';
import { compileGuard, type Violation } from '../../../src/flows/guard/reply-guard.ts';
import { isObject } from '../../../src/json.ts';

export type Data = Record<string, unknown>;

/** A screen `A` with these components, that declares these keys. */
export function flowOf(components: readonly object[], data: object = {}, version = '7.3'): FlowJson {
  const layout = { type: 'SingleColumnLayout', children: components };
  const json = { version, data_api_version: '4.0', routing_model: { A: [] }, screens: [{ id: 'A', data, layout }] };
  return json as FlowJson;
}

/** `${data.key}` */
export function bound(key: string): string {
  return `\${data.${key}}`;
}

/** An If; a key called `then` makes linters suspect a promise. */
export function branch(condition: unknown, onTrue: unknown, onFalse: unknown = []): object {
  return Object.fromEntries(
    Object.entries({ type: 'If', condition, onTrue, else: onFalse }).map(([key, value]) => [
      key === 'onTrue' ? 'then' : key,
      value,
    ]),
  );
}

/** What is wrong with data for the first screen. */
export function violationsOf(json: FlowJson, data: object): readonly Violation[] {
  const screen = json.screens[0]?.id ?? '';
  return compileGuard(json).check({ action: 'data_exchange', currentScreen: undefined, screen, data });
}

/** `key rule` of each. */
export function told(violations: readonly Violation[]): string[] {
  return violations.map(({ key, rule }) => `${key} ${rule}`);
}

export const everyComponent = JSON.parse(
  readFileSync('test/fixtures/flow-json/every-component.json', 'utf8'),
) as FlowJson;

/** The examples of a screen's data model: data that fits it. */
export function examplesOf(json: FlowJson, screen: string): Data {
  const model = json.screens.find(({ id }) => id === screen)?.data ?? {};
  const examples = Object.entries(model).map(([key, schema]) => [key, isObject(schema) && schema['__example__']]);
  return structuredClone(Object.fromEntries(examples)) as Data;
}

export const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAFklEQVR42mNgGAWjYBSMglEwCgAAAAD//w==';
export const JPEG = '/9j/4AAQSkZJRgABAQEASABIAAD/2Q==';

/** The base64 of that many KB, plus bytes. */
export function base64OfKb(kb: number, bytes = 0): string {
  return Buffer.alloc(kb * 1024 + bytes, 1).toString('base64');
}
