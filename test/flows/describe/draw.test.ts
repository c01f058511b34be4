import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { drawMermaid } from '../../../src/flows/describe/draw-mermaid.ts';
import { drawText } from '../../../src/flows/describe/draw-text.ts';
import { outlineOf } from '../../../src/flows/describe/outline.ts';
import type { FlowJson } from '../../../src/flows/flow-json.ts';

const booking = JSON.parse(readFileSync('examples/booking/booking.flow.json', 'utf8')) as FlowJson;
const outline = (json: object) => outlineOf({ version: '7.3', ...json } as FlowJson);
/** Each screen with where it leads: `{ A: 'B C' }`. The last one ends the Flow. */
function routed(routes: Record<string, string>) {
  const ids = Object.keys(routes);
  const screens = ids.map((id) => ({ id, terminal: id === ids.at(-1) }));
  const routing_model = Object.fromEntries(ids.map((id) => [id, routes[id]?.split(' ').filter(Boolean)]));
  return outline({ screens, routing_model });
}

test('a Flow that goes straight on is one line; who asks the endpoint and may end the Flow is marked', () => {
  expect(drawText(outlineOf(booking))).toBe('APPOINTMENT* -> DETAILS* -> SUMMARY* (end) -> TERMS\n* asks the endpoint');
});

test('a Flow that never asks has no legend', () => {
  expect(drawText(routed({ A: 'B', B: '' }))).toBe('A -> B (end)');
});

test('a screen asks by a data_exchange anywhere in it, and by what happens on the way back', () => {
  const action = { name: 'data_exchange', payload: {} };
  const layout = { children: [{ type: 'Form', children: [{ type: 'Footer', 'on-click-action': action }] }] };
  const screens = [{ id: 'A', layout }, { id: 'B', refresh_on_back: true }, { id: 'C' }];
  expect(outline({ screens }).map(({ asksEndpoint }) => asksEndpoint)).toEqual([true, true, false]);
});

test('where it forks, each way has a line; a way that goes on elsewhere is not drawn twice', () => {
  expect(drawText(routed({ A: 'B', B: 'C D', C: 'E F', D: 'E', E: 'F', F: '' }))).toBe(`\
A -> B
  -> C
    -> E -> F (end)
    -> F (end)
  -> D -> E (above)`);
});

test('what opens the Flow comes first, wherever it stands; what nothing leads to has a line of its own', () => {
  expect(drawText(routed({ B: 'C', A: 'B', X: 'Y', Y: 'X', C: '' }))).toBe('A -> B -> C (end)\nX -> Y -> X (above)');
  expect(drawText(routed({ A: 'C', B: 'C', C: '' }))).toBe('A -> C (end)\nB -> C (end)');
});

test('a circle ends where it began, and a route of a screen to itself is no route', () => {
  expect(drawText(routed({ A: 'B', B: 'C', C: 'A' }))).toBe(
    'A -> B -> C (end) -> A (above)\nB (above)\nC (end) (above)',
  );
  expect(drawText(routed({ A: 'A B B', B: '' }))).toBe('A -> B (end)');
});

test('screens without a routing model stand for themselves', () => {
  expect(drawText(outline({ screens: [{ id: 'A' }, { id: 'B' }] }))).toBe('A\nB');
});

test('a name cannot write to the terminal what is not to be seen', () => {
  const screens = [{ id: 'A\u001b[2J\n\u202e' }];
  expect(drawText(outline({ screens }))).toBe('A\\u001b[2J\\u000a\\u202e');
});

test('every screen is drawn, and every route once with its target, whatever the routes', () => {
  const ids = ['A', 'B', 'C', 'D', 'E', 'F'];
  const anyRoutes = fc.tuple(...ids.map(() => fc.subarray(ids)));
  fc.assert(
    fc.property(anyRoutes, (targets) => {
      const screens = routed(Object.fromEntries(ids.map((id, i) => [id, targets[i]?.join(' ') ?? ''])));
      const text = drawText(screens);
      const drawn = text.match(/[A-F]/g) ?? [];
      expect(new Set(drawn)).toEqual(new Set(ids));
      const arrows = text.match(/->/g) ?? [];
      expect(arrows).toHaveLength(screens.flatMap(({ next }) => next).length);
    }),
  );
});

test('a path of 1,000 forks is drawn', () => {
  const ids = Array.from({ length: 1_000 }, (_, i) => `S${i}`);
  const routes = Object.fromEntries(ids.map((id, i) => [id, `${ids[i + 1] ?? ''} ${ids[i + 2] ?? ''}`]));
  expect(drawText(routed(routes)).split('\n').length).toBeGreaterThan(1_000);
});

test('Mermaid has a node for each screen, with its title and what it does, and an edge for each route', () => {
  expect(drawMermaid(outlineOf(booking))).toBe(`\
flowchart LR
  s1(["Appointment<br/>APPOINTMENT<br/>asks the endpoint"])
  s2["Your details<br/>DETAILS<br/>asks the endpoint"]
  s3["Summary<br/>SUMMARY<br/>asks the endpoint, may end the Flow"]
  s4["Terms<br/>TERMS"]
  s1 --> s2
  s2 --> s3
  s3 --> s4`);
});

test('Mermaid gets a title without what would end its label or be markup, and cut after 60 characters', () => {
  const title = '"end"]; `a` <b>&amp;</b> # \\ | {x}\n%% é 😀';
  const screens = [
    { id: 'end', title },
    { id: 'B', title: '' },
    { id: 'C', title: 7 },
  ];
  expect(drawMermaid(outline({ screens })).split('\n').slice(1, 4)).toEqual([
    '  s1(["#34;end#34;#93;#59; #96;a#96; #60;b#62;#38;amp#59;#60;/b#62; #35; #92; #124; #123;x#125; #37;#37; é #128512;<br/>end"])',
    '  s2["B"]',
    '  s3["C"]',
  ]);
  expect(drawMermaid(outline({ screens: [{ id: 'A', title: '😀'.repeat(61) }] }))).toContain(
    `"${'#128512;'.repeat(60)}<br/>A"`,
  );
});

test('whatever a title says, a node of the flowchart is one line with one label', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary', minLength: 1 }), (title, id) => {
      const [, node = '', ...more] = drawMermaid(outline({ screens: [{ id, title }] })).split('\n');
      expect(more).toEqual([]);
      expect(node).toMatch(/^ {2}s1\(\["(?:[\p{L}\p{N} _.,:!?()/-]|#\d+;|<br\/>)*"\]\)$/u);
    }),
  );
});
