/** A screen's data model: every key with a type and an example that fits it. */
import { isObject, type JsonObject } from '../../json.ts';
import { compileSchema, MODEL_TYPES, TAKEN_BY_CLIENTS, typeName } from './model.ts';
import type { Problems } from './problems.ts';
import { Walk } from './walk.ts';

const EXAMPLE = '__example__';
const MAX_DEPTH = 16;

/** @param where of the screen. */
export function checkModel(model: unknown, where: string, problems: Problems): void {
  if (model === undefined) return;
  if (!isObject(model)) {
    problems.error(where, 'model-malformed', '"data" must be an object of keys, each with its type');
    return;
  }
  for (const [key, schema] of Object.entries(model)) {
    const whereKey = `${where}, data "${key}"`;
    if (TAKEN_BY_CLIENTS.has(key)) {
      problems.warning(
        whereKey,
        'model-reserved',
        'clients take this key out before they bind data: give it another name',
      );
    }
    if (isObject(schema)) checkKey(schema, whereKey, problems);
    else problems.error(whereKey, 'model-type', `must be an object with a "type", is ${typeName(schema)}`);
  }
}

function checkKey(schema: JsonObject, where: string, problems: Problems): void {
  checkType(schema, where, 0, problems);
  if (Object.hasOwn(schema, EXAMPLE)) checkExample(schema, where, problems);
  else problems.error(where, 'model-example', `must have an "${EXAMPLE}": Meta refuses a key without one`);
}

function checkType(schema: JsonObject, where: string, depth: number, problems: Problems): void {
  const { type, items, properties } = schema;
  if (type === undefined) problems.error(where, 'model-type', 'must have a "type"');
  else if (typeof type !== 'string' || !MODEL_TYPES.has(type)) {
    const types = [...MODEL_TYPES].join(', ');
    problems.warning(where, 'model-type', `has a type that is not known, so nothing is checked: known are ${types}`);
  }
  if (depth > MAX_DEPTH) return;
  if (isObject(items)) checkType(items, `${where}, items`, depth + 1, problems);
  for (const [key, inner] of Object.entries(isObject(properties) ? properties : {})) {
    if (isObject(inner)) checkType(inner, `${where}, property "${key}"`, depth + 1, problems);
  }
}

/** What is wrong inside an example is not certain to be refused. */
function checkExample(schema: JsonObject, where: string, problems: Problems): void {
  const walk = new Walk('');
  compileSchema(schema)(schema[EXAMPLE], walk);
  for (const { key, message } of walk.violations) {
    if (key === '') problems.error(where, 'model-example-type', `the example ${message}`);
    else problems.warning(where, 'model-example-type', `the example ${key} ${message}`);
  }
}
