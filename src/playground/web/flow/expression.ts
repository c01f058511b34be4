/** An expression of Flow JSON, read. */

export type Expression =
  | { readonly kind: 'literal'; readonly value: string | number | boolean }
  | { readonly kind: 'reference'; readonly path: string }
  | { readonly kind: 'not' | 'negative'; readonly operand: Expression }
  | { readonly kind: 'joined'; readonly parts: readonly Expression[] }
  | { readonly kind: 'binary'; readonly operator: string; readonly left: Expression; readonly right: Expression };

export class ExpressionError extends Error {
  override readonly name = 'ExpressionError';
}
