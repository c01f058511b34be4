/** The words of an expression, one after the other. */
import { type Expression, ExpressionError } from './expression.ts';

/** Longest expression that is read. */
export const MAX_EXPRESSION_CHARS = 10_000;

export interface Token {
  readonly kind: 'operator' | 'operand';
  readonly text: string;
}

/** Sticky: each match begins where the one before ended, so that reading is linear. */
const TOKEN =
  /\s*(?:(?<operator>\|\||&&|==|!=|<=|>=|[<>!()+\-*/%])|(?<operand>\$\{[^{}]*\}|'(?:[^'\\]|\\.)*'|\d+(?:\.\d+)?|true\b|false\b))/suy;

export class Tokens {
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(text: string) {
    this.#tokens = tokenize(text);
  }

  peek(): Token | undefined {
    return this.#tokens[this.#next];
  }

  /** The operator that comes next, taken; undefined when it is none of these. */
  take(operators: readonly string[]): string | undefined {
    const token = this.peek();
    if (token?.kind !== 'operator' || !operators.includes(token.text)) return undefined;
    this.#next += 1;
    return token.text;
  }

  /** True where another value stands beside the one before. */
  startsOperand(): boolean {
    const token = this.peek();
    return token?.kind === 'operand' || token?.text === '(' || token?.text === '!';
  }

  operand(): Expression {
    const token = this.peek();
    if (token?.kind !== 'operand') {
      throw new ExpressionError(token ? `a value is missing before "${token.text}"` : 'a value is missing at the end');
    }
    this.#next += 1;
    return toOperand(token.text);
  }
}

function tokenize(text: string): Token[] {
  if (text.length > MAX_EXPRESSION_CHARS) throw new ExpressionError(`longer than ${MAX_EXPRESSION_CHARS} characters`);
  const tokens: Token[] = [];
  const end = text.trimEnd().length;
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < end) {
    const at = TOKEN.lastIndex;
    const { operator, operand } = TOKEN.exec(text)?.groups ?? {};
    if (operator !== undefined) tokens.push({ kind: 'operator', text: operator });
    else if (operand !== undefined) tokens.push({ kind: 'operand', text: operand });
    else throw new ExpressionError(`"${text.slice(at).trim().slice(0, 20)}" cannot be read`);
  }
  return tokens;
}

function toOperand(text: string): Expression {
  if (text.startsWith('${')) return { kind: 'reference', path: text.slice(2, -1).trim() };
  if (text.startsWith("'")) return { kind: 'literal', value: text.slice(1, -1).replaceAll(/\\(.)/gsu, '$1') };
  if (text === 'true' || text === 'false') return { kind: 'literal', value: text === 'true' };
  return { kind: 'literal', value: Number(text) };
}
