/** The routes of a Flow as a Mermaid flowchart, for documentation. */
import type { OutlinedScreen } from './outline.ts';

/** Whatever could end a label, or be read as Markdown, HTML or an entity in it. */
const UNSAFE = /[^\p{L}\p{N} _.,:!?()/-]/gu;
const MAX_TITLE_CHARS = 60;

export function drawMermaid(screens: readonly OutlinedScreen[]): string {
  const names = new Map(screens.map(({ id }, index) => [id, `s${index + 1}`]));
  const nodes = screens.map((screen) => `  ${names.get(screen.id)}${shapeOf(screen)}`);
  const edges = screens.flatMap(({ id, next }) =>
    next.flatMap((target) => (names.has(target) ? [`  ${names.get(id)} --> ${names.get(target)}`] : [])),
  );
  return ['flowchart LR', ...nodes, ...edges].join('\n');
}

/** Round is where the Flow opens. */
function shapeOf(screen: OutlinedScreen): string {
  const label = `"${linesOf(screen).join('<br/>')}"`;
  return screen.isEntry ? `([${label}])` : `[${label}]`;
}

function linesOf({ id, title, asksEndpoint, isTerminal }: OutlinedScreen): string[] {
  const marks = [asksEndpoint ? 'asks the endpoint' : '', isTerminal ? 'may end the Flow' : ''].filter(Boolean);
  return [...(title === undefined ? [] : [safe(title)]), safe(id), ...(marks.length > 0 ? [marks.join(', ')] : [])];
}

/** By code point, as Mermaid takes it: `#34;` is a quotation mark. */
function safe(text: string): string {
  const short = [...text].slice(0, MAX_TITLE_CHARS).join('');
  return short.replace(/\s/g, ' ').replace(UNSAFE, (character) => `#${character.codePointAt(0)};`);
}
