/** Reads a JSON file that a person names, or stdin, and says exactly what is wrong with it. */
import { createReadStream } from 'node:fs';
import { isObject } from '../json.ts';
import { CliError, reasonOf } from './cli-error.ts';
import { findJsonFault } from './json-fault.ts';

/** Meta takes no larger Flow JSON. */
export const MAX_JSON_BYTES = 10 * 1024 * 1024;
/** Far beyond what any Flow JSON has, and far within what can be walked. */
const MAX_DEPTH = 200;

/** Rejects with a CliError. @param file `-` reads stdin. A byte order mark is no part of the JSON. */
export async function readJsonFile(file: string): Promise<unknown> {
  const text = decode(nameOf(file), await readBytes(file));
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new CliError(`${nameOf(file)} is not JSON: ${describeFault(text)}`);
  }
  if (isDeeperThan(MAX_DEPTH, json)) throw new CliError(`${nameOf(file)} is nested deeper than ${MAX_DEPTH} levels`);
  return json;
}

/** For messages. */
export function nameOf(file: string): string {
  return file === '-' ? 'stdin' : file;
}

async function readBytes(file: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of file === '-' ? process.stdin : createReadStream(file)) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > MAX_JSON_BYTES) break;
    }
  } catch (error) {
    throw new CliError(`cannot read ${nameOf(file)}: ${reasonOf(error)}`);
  }
  if (bytes > MAX_JSON_BYTES) throw new CliError(`${nameOf(file)} is larger than the 10 MB that Meta takes`);
  return Buffer.concat(chunks);
}

function decode(name: string, bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new CliError(`${name} is not UTF-8 text: save it as UTF-8`);
  }
}

function describeFault(text: string): string {
  if (text.trim() === '') return 'it is empty';
  const fault = findJsonFault(text);
  return fault ? `line ${fault.line}, column ${fault.column}: expected ${fault.expected}` : 'it cannot be parsed';
}

function isDeeperThan(levels: number, json: unknown): boolean {
  let level: unknown[] = [json];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > levels) return true;
    level = level.flatMap((value) => (Array.isArray(value) ? value : isObject(value) ? Object.values(value) : []));
  }
  return false;
}
