/** Where a text stops being JSON: `JSON.parse` tells the place of some mistakes only, and not in every Node version. */

export interface JsonFault {
  /** From 1. */
  readonly line: number;
  /** From 1, in characters. */
  readonly column: number;
  readonly expected: string;
}

/** @returns undefined for what `JSON.parse` takes. */
export function findJsonFault(text: string): JsonFault | undefined {
  const found = new Scan(text).run();
  if (!found) return undefined;
  const before = text.slice(0, found.at);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: found.at - lineStart + 1, expected: found.expected };
}

interface Stop {
  readonly at: number;
  readonly expected: string;
}

const SPACE = /[ \t\n\r]*/y;
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[\dA-Fa-f]{4})/y;
const A_VALUE = 'a value';
const A_KEY = 'a key in double quotes';

/** Without recursion: the text may be nested as deep as it likes. */
class Scan {
  readonly #text: string;
  #at = 0;
  /** The lists and objects that are open. */
  readonly #open: ('[' | '{')[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  run(): Stop | undefined {
    let stop = this.#value();
    while (!stop && this.#open.length > 0) stop = this.#afterValue();
    if (stop) return stop;
    this.#skip(SPACE);
    return this.#at < this.#text.length ? this.#stop('nothing more') : undefined;
  }

  /** Reads a scalar, or opens a list or object up to its first scalar. */
  #value(): Stop | undefined {
    for (;;) {
      this.#skip(SPACE);
      if (this.#take('{')) {
        this.#open.push('{');
        this.#skip(SPACE);
        if (this.#text[this.#at] === '}') return undefined;
        const stop = this.#key(`${A_KEY} or }`);
        if (stop) return stop;
      } else if (this.#take('[')) {
        this.#open.push('[');
        this.#skip(SPACE);
        if (this.#text[this.#at] === ']') return undefined;
      } else if (this.#text[this.#at] === '"') return this.#string();
      else return this.#skip(SCALAR) ? undefined : this.#stop(A_VALUE);
    }
  }

  /** Reads the end of what is open, or a comma and what follows. */
  #afterValue(): Stop | undefined {
    const isList = this.#open.at(-1) === '[';
    this.#skip(SPACE);
    if (this.#take(isList ? ']' : '}')) {
      this.#open.pop();
      return undefined;
    }
    if (!this.#take(',')) return this.#stop(`a comma or ${isList ? ']' : '}'}`);
    return (isList ? undefined : this.#key(A_KEY)) ?? this.#value();
  }

  #key(expected: string): Stop | undefined {
    this.#skip(SPACE);
    if (this.#text[this.#at] !== '"') return this.#stop(expected);
    const stop = this.#string();
    if (stop) return stop;
    this.#skip(SPACE);
    return this.#take(':') ? undefined : this.#stop('a colon');
  }

  #string(): Stop | undefined {
    for (this.#at++; ; ) {
      const character = this.#text[this.#at];
      if (character === undefined || character < ' ') return this.#stop('the closing quote of a text');
      if (character === '\\') {
        if (!this.#skip(ESCAPE)) return this.#stop('an escape that JSON knows');
      } else this.#at++;
      if (character === '"') return undefined;
    }
  }

  #skip(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at;
    const isThere = pattern.test(this.#text);
    if (isThere) this.#at = pattern.lastIndex;
    return isThere;
  }

  #take(character: string): boolean {
    const isThere = this.#text[this.#at] === character;
    if (isThere) this.#at++;
    return isThere;
  }

  #stop(expected: string): Stop {
    return { at: this.#at, expected };
  }
}
