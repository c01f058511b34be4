/** Which screen may follow which, and what a session holds: what must compile, and what must not. Never run. */
import { createApp, type FlowContext } from 'flowgate';
import { z } from 'zod';

const app = createApp();

// Screens and moves given as types, as `flowgate flow types` writes them
type Screens = { PICK: { hint: string }; DETAILS: { name: string }; DONE: Record<never, never> };
type Moves = { INIT: 'PICK'; PICK: 'PICK' | 'DETAILS'; DETAILS: 'PICK' | 'DETAILS' | 'DONE'; DONE: 'DONE' };
const typed = app.flow<Screens, Moves>('typed');

typed.init((c) => c.screen('PICK', { hint: '' }));
// @ts-expect-error a Flow begins on its entry screen
typed.init((c) => c.screen('DETAILS', { name: '' }));
typed.on('PICK', (c) => c.screen('DETAILS', { name: '' }));
typed.on('PICK', (c) => c.screen('PICK', { hint: 'Again' }));
// @ts-expect-error no route leads from PICK to DONE
typed.on('PICK', (c) => c.screen('DONE'));
// @ts-expect-error nor with a schema
typed.on('PICK', z.object({}), (c) => c.screen('DONE'));
// @ts-expect-error data is still checked
typed.on('PICK', (c) => c.screen('DETAILS', {}));
typed.back('DETAILS', (c) => c.screen('PICK', { hint: '' }));
// @ts-expect-error no route leads back from DONE
typed.back('DONE', (c) => c.screen('PICK', { hint: '' }));
// Any screen may say what is wrong, or end the Flow.
typed.on('DONE', (c) => (c.data['ok'] ? c.complete() : c.error('No')));
// A fallback answers for every screen.
typed.fallback((c) => (c.currentScreen ? c.screen('DONE') : c.screen('PICK', { hint: '' })));

// Base data keeps the moves
const withBase = typed.data('DETAILS', () => ({ name: '' }));
withBase.on('PICK', (c) => c.screen('DETAILS'));
// @ts-expect-error still no route from PICK to DONE
withBase.on('PICK', (c) => c.screen('DONE'));

// Helpers over all screens, or over those they show
const details = (c: FlowContext<Pick<Screens, 'DETAILS'>>) => c.screen('DETAILS', { name: '' });
typed.on('PICK', details);

// Screens alone: every screen may show every screen
const unrouted = app.flow<Screens>('unrouted');
unrouted.init((c) => c.screen('DONE'));
unrouted.on('PICK', (c) => c.screen('DONE'));

// Moves that name not every screen: the others may show any
app.flow<Screens, { INIT: 'PICK' }>('partial').on('PICK', (c) => c.screen('DONE'));
// @ts-expect-error but those they name, only these
app.flow<Screens, { INIT: 'PICK' }>('partly').init((c) => c.screen('DONE'));

// Moves learnt from a Flow JSON literal
const literal = app.flow('literal', {
  json: {
    version: '7.3',
    routing_model: { A: ['B', 'C'], B: ['D'], C: ['D'], D: ['E'], E: [] },
    screens: [{ id: 'A' }, { id: 'B' }, { id: 'C' }, { id: 'D' }, { id: 'E' }],
  },
});
literal.init((c) => c.screen('A'));
// @ts-expect-error a Flow begins on its entry screen
literal.init((c) => c.screen('B'));
literal.on('A', (c) => c.screen('B'));
literal.on('A', (c) => c.screen('C'));
// @ts-expect-error two steps at once
literal.on('A', (c) => c.screen('D'));
// Against a route, the same screen again, and where the Flow began
literal.on('D', (c) => c.screen('C'));
literal.on('D', (c) => c.screen('D'));
literal.on('D', (c) => c.screen('A'));
literal.on('E', (c) => c.screen('A'));
// @ts-expect-error two steps back
literal.back('E', (c) => c.screen('C'));
// @ts-expect-error from one branch into the other
literal.on('B', (c) => c.screen('C'));

// Two entries: INIT may go to both, and from everywhere back to the first; a screen may be named INIT
const forked = app.flow('forked', {
  json: {
    version: '7.3',
    routing_model: { A: ['INIT'], B: ['INIT'], INIT: ['END'], END: [] },
    screens: [{ id: 'A' }, { id: 'B' }, { id: 'INIT' }, { id: 'END' }],
  },
});
forked.init((c) => c.screen('B'));
forked.on('END', (c) => c.screen('A'));
// @ts-expect-error the second entry is not where every Flow began
forked.on('END', (c) => c.screen('B'));
forked.on('INIT', (c) => c.screen('END'));
forked.on('INIT', (c) => c.screen('B'));

// The first of the list counts as the first screen, too, and a route to itself as none
const unordered = app.flow('unordered', {
  json: {
    version: '7.3',
    routing_model: { B: ['C'], A: ['A', 'B'], C: ['D'], D: [] },
    screens: [{ id: 'B' }, { id: 'A' }, { id: 'C' }, { id: 'D' }],
  },
});
unordered.init((c) => c.screen('A'));
// @ts-expect-error a route leads to it
unordered.init((c) => c.screen('B'));
unordered.on('D', (c) => c.screen('B'));
unordered.on('D', (c) => c.screen('A'));

// Routes in a circle have no entry: the doctor tells, the compiler lets any screen begin
const circle = app.flow('circle', {
  json: { version: '7.3', routing_model: { A: ['B'], B: ['A'] }, screens: [{ id: 'A' }, { id: 'B' }] },
});
circle.init((c) => c.screen('B'));
circle.on('B', (c) => c.screen('A'));

// A route to a screen that does not exist leads nowhere
const broken = app.flow('broken', {
  json: { version: '7.3', routing_model: { A: ['B', 'GONE'], B: [] }, screens: [{ id: 'A' }, { id: 'B' }] },
});
broken.on('A', (c) => c.screen('B'));
// @ts-expect-error there is no such screen
broken.on('A', (c) => c.screen('GONE'));

// A literal without routes, and a JSON import, whose screen names the compiler does not know
app.flow('routeless', { json: { version: '7.3', screens: [{ id: 'A' }, { id: 'B' }] } }).init((c) => c.screen('B'));
const imported = { version: '7.3', routing_model: { A: ['B'], B: [] }, screens: [{ id: 'A' }, { id: 'B' }] };
app.flow('imported', { json: imported }).init((c) => c.screen('B'));
// Names known, routes not
const routes: Record<string, string[]> = { A: ['B'] };
app
  .flow('computed', { json: { version: '7.3', routing_model: routes, screens: [{ id: 'A' }, { id: 'B' }] } })
  .init((c) => c.screen('B'))
  // @ts-expect-error the JSON has no such screen
  .on('C', (c) => c.screen('A'));

// Sessions
const kept = typed.session(z.object({ seats: z.number(), name: z.string().default('') }), { ttl: '3d' });
kept.on('PICK', async (c) => {
  const session = await c.session.get();
  session?.seats.toFixed();
  session?.name.toUpperCase();
  // @ts-expect-error there may be none yet
  session.seats;
  // @ts-expect-error a key the schema does not have
  session?.chairs;
  await c.session.set({ seats: 1, name: '' });
  // @ts-expect-error a wrong type
  await c.session.set({ seats: '1', name: '' });
  await c.session.update((now) => ({ name: '', ...now, seats: (now?.seats ?? 0) + 1 }));
  return c.screen('DETAILS', { name: '' });
});
// @ts-expect-error the moves are known as before
kept.on('PICK', (c) => c.screen('DONE'));
kept.data('DETAILS', async (c) => ({ name: (await c.session.get())?.name ?? '' }));
kept.fallback(async (c) => ((await c.session.get())?.seats ? c.error('Busy') : c.complete()));
// @ts-expect-error a length of time has a unit
typed.session(z.object({}), { ttl: 3 });
// @ts-expect-error nor is any word a length of time
typed.session(z.object({}), { ttl: 'long' });
// @ts-expect-error not a schema
typed.session({ seats: 'number' });
