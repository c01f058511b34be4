/**
 * The expressions of Flow JSON: what stands in backticks, and what an `If` has for its condition.
 *
 *   `'Hello ' ${form.first_name}`      strings side by side are joined
 *   `(${form.age} >= 18) && !${data.closed}`
 *   `${data.total} / ${form.guests}`   + - * / %
 *
 * From loose to tight: `||`, `&&`, `== !=`, `< <= > >=`, strings side by side, `+ -`, `* / %`, `! -`.
 * A parser of its own: nothing of a Flow is ever run as code. Text and nesting are bounded.
 */
import { type Expression, ExpressionError } from './expression.ts';
import { Tokens } from './tokens.ts';

/** Deepest nesting of parentheses and of `!` and `-`. */
export const MAX_DEPTH = 50;

/** @throws ExpressionError for what is no expression, or is too long or too deep. */
export function parseExpression(text: string): Expression {
  return new Parser(text).all();
}

/** Loosest first. */
const LEVELS: readonly (readonly string[])[] = [['||'], ['&&'], ['==', '!='], ['<', '<=', '>', '>=']];
const SUM = ['+', '-'];
const PRODUCT = ['*', '/', '%'];

class Parser {
  readonly #tokens: Tokens;
  #depth = 0;

  constructor(text: string) {
    this.#tokens = new Tokens(text);
  }

  all(): Expression {
    const expression = this.#level(0);
    const rest = this.#tokens.peek();
    if (rest) throw new ExpressionError(`"${rest.text}" is one too many`);
    return expression;
  }

  #level(level: number): Expression {
    const operators = LEVELS[level];
    return operators ? this.#chain(operators, () => this.#level(level + 1)) : this.#joined();
  }

  #joined(): Expression {
    const parts = [this.#chain(SUM, () => this.#product())];
    while (this.#tokens.startsOperand()) parts.push(this.#chain(SUM, () => this.#product()));
    const [only] = parts;
    return parts.length === 1 && only ? only : { kind: 'joined', parts };
  }

  #product(): Expression {
    return this.#chain(PRODUCT, () => this.#unary());
  }

  #chain(operators: readonly string[], operand: () => Expression): Expression {
    let left = operand();
    for (let operator = this.#tokens.take(operators); operator; operator = this.#tokens.take(operators)) {
      left = { kind: 'binary', operator, left, right: operand() };
    }
    return left;
  }

  #unary(): Expression {
    const sign = this.#tokens.take(['!', '-']);
    if (!sign) return this.#primary();
    return this.#deeper(() => ({ kind: sign === '!' ? 'not' : 'negative', operand: this.#unary() }));
  }

  #primary(): Expression {
    if (this.#tokens.take(['('])) {
      const inner = this.#deeper(() => this.#level(0));
      if (!this.#tokens.take([')'])) throw new ExpressionError('a ")" is missing');
      return inner;
    }
    return this.#tokens.operand();
  }

  #deeper(parse: () => Expression): Expression {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw new ExpressionError(`more than ${MAX_DEPTH} levels`);
    const expression = parse();
    this.#depth -= 1;
    return expression;
  }
}
