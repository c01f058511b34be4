/** One component: its properties, and the limits of what stands in the Flow JSON itself. */
import { isObject, type JsonObject } from '../../json.ts';
import { isDynamic, resolveStatic } from './bindings.ts';
import type { Catalogue } from './components.ts';
import type { Placed } from './layout.ts';
import type { ComponentKind } from './limits.ts';
import type { Problems } from './problems.ts';
import { checkInit, initTemplate, ruleOf } from './screen-checks.ts';
import { formatVersion } from './versions.ts';
import { Walk } from './walk.ts';

/** As Meta documented it first; later texts say 4096. */
const CAPTION_LENGTH = 409;

export function checkComponent(
  placed: Placed,
  catalogue: Catalogue,
  version: number,
  where: string,
  problems: Problems,
): void {
  const { component, type } = placed;
  const kind = catalogue.get(type);
  if (!kind) {
    problems.warning(
      where,
      'component-unknown',
      `${type === '' ? 'has no type' : `${type} is not known`}: not checked`,
    );
    return;
  }
  const { since = 0, needs = [] } = kind;
  if (since > version) {
    problems.error(where, 'component-version', `${type} came with Flow JSON ${formatVersion(since)}`);
  }
  for (const name of needs) {
    if (component[name] === undefined) problems.error(where, 'property-missing', `must have "${name}"`);
  }
  for (const name of Object.keys(component)) checkProperty(name, placed, kind, version, where, problems);
  checkInitOption(placed, kind, where, problems);
  if (type === 'PhotoPicker' || type === 'DocumentPicker') checkPicker(placed, where, problems);
  if (type === 'If' || type === 'Switch') checkBranches(component, where, problems);
}

function checkProperty(
  name: string,
  { component, conditions, type }: Placed,
  kind: ComponentKind,
  version: number,
  where: string,
  problems: Problems,
): void {
  const property = Object.hasOwn(kind.properties, name) ? kind.properties[name] : undefined;
  if (!property) problems.warning(where, 'property-unknown', `"${name}" is not known: not checked`);
  else if ((property.since ?? 0) > version) {
    problems.warning(where, 'property-version', `"${name}" came with Flow JSON ${formatVersion(property.since ?? 0)}`);
  }
  const value = component[name];
  checkLiteralType(name, value, property?.type, where, problems);
  if (type === 'TextCaption' && name === 'text' && typeof value === 'string' && value.length > CAPTION_LENGTH) {
    problems.warning(where, 'text-length', `older clients take at most ${CAPTION_LENGTH} characters in a TextCaption`);
  }
  const walk = new Walk('');
  walk.isNeeded = conditions.length === 0 && (component['enabled'] ?? true) === true;
  ruleOf(kind, name, component)?.(resolveStatic(value), walk);
  reportAll(walk, name, where, problems);
}

function reportAll({ violations }: Walk, name: string, where: string, problems: Problems): void {
  for (const { key, rule, message } of violations) {
    const separator = key === '' || key.startsWith('[') ? '' : '.';
    problems.error(where, rule, `${name}${separator}${key} ${message}`);
  }
}

function checkLiteralType(
  name: string,
  value: unknown,
  wanted: 'string' | 'boolean' | 'array' | 'object' | undefined,
  where: string,
  problems: Problems,
): void {
  if (wanted === undefined || value === undefined || isDynamic(value)) return;
  const type = Array.isArray(value) ? 'array' : typeof value;
  if (type !== wanted)
    problems.warning(where, 'property-type', `"${name}" takes a value of type ${wanted}, not ${type}`);
}

/** Where both the init-value and the options stand in the Flow JSON. */
function checkInitOption({ component, form }: Placed, kind: ComponentKind, where: string, problems: Problems): void {
  const init = initTemplate(component, form);
  if (!('data-source' in kind.properties) || init === undefined) return;
  const walk = new Walk('');
  checkInit(resolveStatic(init), resolveStatic(component['data-source']), walk);
  reportAll(walk, 'init-value', where, problems);
}

const MAX_FILE_KB = 25_600;
const MAX_FILES = 30;

function checkPicker({ component, form }: Placed, where: string, problems: Problems): void {
  const range = (name: string, min: number, max: number): number | undefined => {
    const value = component[name];
    if (typeof value !== 'number') return undefined;
    if (Number.isInteger(value) && value >= min && value <= max) return value;
    problems.error(where, 'picker-range', `"${name}" must be a whole number from ${min} to ${max}`);
    return undefined;
  };
  range('max-file-size-kb', 1, MAX_FILE_KB);
  for (const what of ['photos', 'documents']) {
    const least = range(`min-uploaded-${what}`, 0, MAX_FILES);
    const most = range(`max-uploaded-${what}`, 1, MAX_FILES);
    if (least !== undefined && most !== undefined && least > most) {
      problems.error(where, 'picker-range', `"min-uploaded-${what}" is more than "max-uploaded-${what}"`);
    }
  }
  if (initTemplate(component, form) !== undefined) {
    problems.error(where, 'picker-init', 'files cannot have a first value: take it out of the init-values');
  }
}

/** A Footer is in both branches of the outermost If, or in none. */
function checkBranches(component: JsonObject, where: string, problems: Problems): void {
  const { type, condition, cases } = component;
  if (type === 'Switch') {
    const isEmpty = isObject(cases) && Object.keys(cases).length === 0;
    if (isEmpty) problems.error(where, 'switch-empty', '"cases" must have at least one case');
    return;
  }
  if (condition !== undefined && !isDynamic(condition)) {
    problems.warning(where, 'if-condition', '"condition" must ask something of the data or the form');
  }
  if (hasFooter(component['then']) !== hasFooter(component['else'])) {
    problems.error(where, 'if-footer', 'a Footer must be in "then" and in "else", or in neither');
  }
}

function hasFooter(branch: unknown): boolean {
  return Array.isArray(branch) && branch.some((child) => isObject(child) && child['type'] === 'Footer');
}
