/** Reads PromQL with the grammar of Prometheus' own editor: that it parses, and what it selects. */
import { parser } from '@prometheus-io/lezer-promql';

export interface Selector {
  /** As it stands there, without window and offset: `up{job="flowgate"}`. */
  readonly text: string;
  readonly metric: string;
  readonly matchers: readonly Matcher[];
}

export interface Matcher {
  readonly label: string;
  readonly operator: string;
  readonly value: string;
}

type SyntaxNode = ReturnType<typeof parser.parse>['topNode'];

/** What Grafana puts in place of its variables, give or take. */
export const withoutVariables = (expr: string): string =>
  expr
    .replaceAll('$__rate_interval', '1m')
    .replaceAll('$__range', '1h')
    .replaceAll(/\$(job|instance)\b/g, '.*');

/** @throws SyntaxError naming the place, for what does not parse. */
export function selectorsIn(expr: string): Selector[] {
  const selectors: Selector[] = [];
  parser.parse(expr).iterate({
    enter({ type, from, to, node }) {
      if (type.isError) throw new SyntaxError(`no PromQL at ${from}: ${expr.slice(0, from)} >>> ${expr.slice(from)}`);
      if (type.name === 'VectorSelector') selectors.push(toSelector(node, expr.slice(from, to), expr));
    },
  });
  return selectors;
}

function toSelector(node: SyntaxNode, text: string, expr: string): Selector {
  const matchers: Matcher[] = [];
  node.cursor().iterate(({ type, node: { to, firstChild, lastChild } }) => {
    if (!type.name.endsWith('LabelMatcher') || !firstChild || !lastChild) return;
    matchers.push({
      label: expr.slice(firstChild.from, firstChild.to),
      operator: expr.slice(firstChild.to, lastChild.from).trim(),
      value: expr.slice(lastChild.from + 1, to - 1),
    });
  });
  return { text, metric: /^[\w:]+/.exec(text)?.[0] ?? '', matchers };
}
