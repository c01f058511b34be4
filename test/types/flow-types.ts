/**
 * What must not compile: each `@ts-expect-error` fails `npm run typecheck` if the line below it compiles.
 * Never run.
 */
import { createApp, type FlowContext, type FlowReply } from 'flowgate';
import { z } from 'zod';

type Slot = { id: string; title: string };
interface Guest {
  name: string;
  since: Date;
}
declare const guest: Guest;
declare const slots: Slot[];
const app = createApp();

// Screens given as a type
type Screens = { PICK: { slots: Slot[]; hint: string }; NOTE: { text?: string }; DONE: Record<never, never> };
const typed = app.flow<Screens>('typed');

typed.init((c) => c.screen('PICK', { slots, hint: '' }));
typed.init((c) => c.screen('NOTE'));
typed.init((c) => c.screen('DONE'));
// @ts-expect-error a screen the Flow does not have
typed.init((c) => c.screen('PCIK', { slots, hint: '' }));
// @ts-expect-error data the screen declares is missing
typed.init((c) => c.screen('PICK', { slots }));
// @ts-expect-error no data at all
typed.init((c) => c.screen('PICK'));
// @ts-expect-error a wrong type
typed.init((c) => c.screen('PICK', { slots, hint: 7 }));
// @ts-expect-error data the screen does not declare
typed.init((c) => c.screen('PICK', { slots, hint: '', colour: 'red' }));
// @ts-expect-error a handler for a screen the Flow does not have
typed.on('PCIK', (c) => c.screen('DONE'));
// @ts-expect-error back from a screen the Flow does not have
typed.back('PCIK', (c) => c.screen('DONE'));

// Data that is always there need not be repeated, and still may be
const withBase = typed.data('PICK', () => ({ hint: 'Pick one' }));
withBase.init((c) => c.screen('PICK', { slots }));
withBase.init((c) => c.screen('PICK', { slots, hint: 'Hurry' }));
// @ts-expect-error what the base does not provide is still required
withBase.init((c) => c.screen('PICK'));
// @ts-expect-error base data of a wrong type
typed.data('PICK', () => ({ hint: 7 }));

// Screens learnt from a Flow JSON literal
const literal = app.flow('literal', {
  json: {
    version: '7.3',
    screens: [
      {
        id: 'A',
        data: {
          n: { type: 'number' },
          rows: { type: 'array', items: { type: 'object', properties: { id: { type: 'string' } } } },
        },
      },
      { id: 'B' },
    ],
  },
});
literal.init((c) => c.screen('A', { n: 1, rows: [{ id: 'x' }] }));
literal.init((c) => c.screen('B'));
// @ts-expect-error a screen the JSON does not have
literal.init((c) => c.screen('C'));
// @ts-expect-error a string where the JSON says number
literal.init((c) => c.screen('A', { n: '1', rows: [] }));
// @ts-expect-error an item without its id
literal.init((c) => c.screen('A', { n: 1, rows: [{}] }));

// Nothing known of the screens
const loose = app.flow('loose');
loose.init((c) => c.screen('ANY', { slots, nested: { deep: [1, true, 'x'] } }));
// @ts-expect-error null is never valid on the way to a screen
loose.init((c) => c.screen('ANY', { gone: null }));
// @ts-expect-error nor undefined
loose.init((c) => c.screen('ANY', { gone: undefined }));
// @ts-expect-error nor a Date, however deep
loose.init((c) => c.screen('ANY', { guests: [guest] }));
// @ts-expect-error nor a function
loose.init((c) => c.screen('ANY', { run: () => 1 }));
// @ts-expect-error the same for an error's data
loose.init((c) => c.error('No', { gone: null }));
// @ts-expect-error SUCCESS is reserved: c.complete() ends a Flow
typed.init((c) => c.screen('SUCCESS'));

// What a handler returns
loose.on('A', async (c) => c.complete({ id: 7 }));
loose.on('B', (c) => c.expire('Too late'));
// @ts-expect-error nothing
loose.on('C', () => {});
// @ts-expect-error an object of its own
loose.on('D', () => ({ screen: 'A', data: {} }));
// @ts-expect-error the flow token is added by complete itself
loose.on('E', (c) => c.complete({ flow_token: 'mine' }));
// @ts-expect-error a completion must survive JSON
loose.on('F', (c) => c.complete({ at: new Date() }));

// Input by schema
loose.on('G', z.object({ guests: z.number() }), (c, input) => c.screen('X', { doubled: input.guests * 2 }));
// @ts-expect-error a field the schema does not have
loose.on('H', z.object({ guests: z.number() }), (c, input) => c.screen('X', { n: input.seats }));
// @ts-expect-error not a schema
loose.on('I', { guests: 'number' }, (c) => c.screen('X'));
// @ts-expect-error a handler without a schema has no input
loose.on('J', (c, input) => c.screen('X', { input }));

// The context
export const reply = (c: FlowContext): FlowReply => {
  c.log.info({ left: c.deadline.remainingMs(), aborted: c.signal.aborted }, c.flow);
  // @ts-expect-error a payload is not validated: its fields are JSON values, not strings
  c.data['department'].toUpperCase();
  // @ts-expect-error the token may be missing
  c.token.length;
  // @ts-expect-error settings are known by name
  createApp({ settings: { PROT: 3000 } });
  return c.error('No');
};

loose.fallback((c) => c.error(c.failure === 'late' ? 'Too slow' : 'Broken'));
// @ts-expect-error only a fallback knows of a failure
loose.init((c) => c.error(c.failure));
