/** What is checked of everything an app hands over, when it hands it over. */
import type { StandardSchemaV1 } from '@standard-schema/spec';

/** @throws TypeError for anything that cannot be called. */
export function callable<T>(handler: T): T {
  if (typeof handler !== 'function') throw new TypeError('a handler must be a function');
  return handler;
}

/** @throws TypeError naming the option that is out of bounds. */
export function wholeNumber(name: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new TypeError(`${name} must be a whole number from ${min} to ${max}`);
  }
}

export function isStandardSchema(value: unknown): value is StandardSchemaV1 {
  return ((typeof value === 'object' && value !== null) || typeof value === 'function') && '~standard' in value;
}
