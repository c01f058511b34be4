/** What `flowgate flow check` prints: the problems of a Flow JSON by how bad they are, and its routes. */
import { printable } from '../flows/describe/printable.ts';
import { type FlowJsonProblem, MAX_PROBLEMS } from '../flows/guard/problems.ts';

type Severity = FlowJsonProblem['severity'];

export function formatProblems(problems: readonly FlowJsonProblem[]): string {
  const groups = (['error', 'warning'] as const).flatMap((severity) => {
    const group = problems.filter((problem) => problem.severity === severity);
    return group.length === 0 ? [] : [`${formatCount(group.length, severity)}:`, ...group.map(formatProblem)];
  });
  if (problems.length >= MAX_PROBLEMS) groups.push(`These are the first ${MAX_PROBLEMS}; there may be more.`);
  return groups.join('\n');
}

/** `2 errors, 1 warning`. */
export function formatCounts(problems: readonly FlowJsonProblem[]): string {
  const counts = (['error', 'warning'] as const).map((severity) => {
    const { length } = problems.filter((problem) => problem.severity === severity);
    return length === 0 ? '' : formatCount(length, severity);
  });
  return counts.filter(Boolean).join(', ');
}

function formatCount(count: number, severity: Severity): string {
  return `${count} ${severity}${count === 1 ? '' : 's'}`;
}

function formatProblem({ where, message, rule }: FlowJsonProblem): string {
  return printable(`  ${where}: ${message} [${rule}]`);
}

export function indent(text: string): string {
  return text.replace(/^/gm, '  ');
}
