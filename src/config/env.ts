/** Reads environment variables, collecting every mistake so that one message can tell them all. */
import { readFileSync } from 'node:fs';
import { FlowgateError } from '../errors.ts';

export class EnvReader {
  readonly #env: NodeJS.ProcessEnv;
  readonly #mistakes: string[] = [];

  constructor(env: NodeJS.ProcessEnv) {
    this.#env = env;
  }

  /** A reader of the same variables that has noted no mistake: their files may have changed. */
  again(): EnvReader {
    return new EnvReader(this.#env);
  }

  /** A variable that is unset or blank is absent. */
  string(name: string): string | undefined {
    const value = this.#env[name]?.trim();
    return value === '' ? undefined : value;
  }

  int(name: string, { fallback, min, max }: { fallback: number; min: number; max: number }): number {
    const text = this.string(name);
    if (text === undefined) return fallback;
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    this.mistake(`${name} must be a whole number from ${min} to ${max}, got ${quote(text)}`);
    return fallback;
  }

  oneOf<const T extends string>(name: string, choices: readonly T[], fallback: T): T {
    const text = this.string(name);
    const choice = text === undefined ? fallback : choices.find((candidate) => candidate === text);
    if (choice === undefined) this.mistake(`${name} must be one of ${choices.join(', ')}, got ${quote(text ?? '')}`);
    return choice ?? fallback;
  }

  /** A secret from `NAME`, or from the file that `NAME_FILE` names. Its value appears in no message. */
  secret(name: string): string | undefined {
    const inline = this.string(name);
    const path = this.string(`${name}_FILE`);
    if (inline !== undefined && path !== undefined) {
      this.mistake(`${name} and ${name}_FILE are both set: keep one`);
    }
    return inline ?? (path === undefined ? undefined : this.#secretFile(`${name}_FILE`, path));
  }

  /** An empty file is a secret that was not written yet: taken for one, it would be known to everybody. */
  #secretFile(name: string, path: string): string | undefined {
    const text = this.file(name, path);
    if (text !== '') return text;
    this.mistake(`${name}: ${quotePath(path)} is empty`);
    return undefined;
  }

  /** The trimmed text of the file at `path`, which the variable `name` gave. */
  file(name: string, path: string): string | undefined {
    try {
      return readFileSync(path, 'utf8').trim();
    } catch (error) {
      const reason = (error as NodeJS.ErrnoException).code ?? 'unknown reason';
      this.mistake(`${name}: cannot read ${quotePath(path)} (${reason})`);
      return undefined;
    }
  }

  mistake(sentence: string): void {
    this.#mistakes.push(sentence);
  }

  /** @throws FlowgateError `SETTINGS_INVALID` naming every mistake, if there was one. */
  throwIfInvalid(): void {
    if (this.#mistakes.length > 0) this.refuse();
  }

  /** For where a mistake was noted for certain. @throws FlowgateError `SETTINGS_INVALID` naming every mistake. */
  refuse(): never {
    throw new FlowgateError('SETTINGS_INVALID', this.#mistakes.join('; '));
  }
}

/** What a wrong value looked like, in short: it may have been pasted into the wrong variable. */
function quote(text: string): string {
  return text.length > 12 ? `a text of ${text.length} characters` : JSON.stringify(text);
}

/**
 * A path as a message may show it. What does not look like one may be the secret itself, given where the name of its file
 * belongs.
 */
export function quotePath(path: string): string {
  return /[./]/.test(path) && !/[\r\n]|\\n|-----BEGIN/.test(path) ? path : `a text of ${path.length} characters`;
}

/** The parts of a comma-separated list, trimmed, without the empty ones. */
export function listOf(text = ''): string[] {
  const parts = text.split(',').map((part) => part.trim());
  return parts.filter((part) => part !== '');
}
