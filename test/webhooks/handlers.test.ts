import { describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { APP, type App, createApp } from '../../src/app.ts';
import type { JsonObject } from '../../src/json.ts';
import {
  flowAlert,
  image,
  type MetaEvent,
  nfmReply,
  statusUpdate,
  systemMessage,
  textMessage,
} from '../../src/testing/index.ts';
import type { CompletedContext } from '../../src/webhooks/context.ts';
import type { EventType } from '../../src/webhooks/event-types.ts';
import type { ClaimedItem } from '../../src/webhooks/inbox.ts';
import { readEvent } from '../../src/webhooks/read-event.ts';
import { itemOf } from '../support/any-delivery.ts';
import { newItem } from '../support/memory-inbox.ts';

const context = { attempt: 1 } as CompletedContext;
const claimed = (item: ReturnType<typeof newItem>): ClaimedItem => ({ ...item, attempt: 1, storedAtMs: 0 });
const find = (app: App, event: MetaEvent) => app[APP].handlers.find(claimed(itemOf(event)));
const run = async (app: App, event: MetaEvent) => find(app, event)?.run(context);
const findJob = (app: App, type: string, payload: JsonObject = {}) =>
  app[APP].handlers.find(claimed(newItem(1, { kind: 'job', type, payload })));

const text = textMessage('Hi');
const picture = image();
const status = statusUpdate({ messageId: 'wamid.1', status: 'read' });
const alert = flowAlert('ENDPOINT_LATENCY');
const system = systemMessage({ newWaId: '1' });

describe('an event', () => {
  test('goes to the first handler that was added, of those whose name fits', async () => {
    const app = createApp();
    app.on('status.*', () => 'any status');
    app.on('message.*', () => 'any message');
    app.on('message.text', () => 'text');
    app.on('message.*', () => 'second');
    expect(await run(app, text)).toBe('any message');
    expect(await run(app, status)).toBe('any status');
  });

  test.each<[Parameters<App['on']>[0], MetaEvent[]]>([
    ['message.text', [text]],
    ['message.*', [text, picture]],
    ['status.*', [status]],
    ['status.read', [status]],
    ['flow.*', [alert]],
    ['system', [system]],
    ['unknown', []],
  ])('fits %s or not', (pattern, fitting) => {
    const app = createApp().on(pattern, () => {});
    const all = [text, picture, status, alert, system];
    expect(all.filter((event) => find(app, event))).toEqual(fitting);
  });

  test('passes over a handler whose filter does not want it', async () => {
    const app = createApp();
    app.on(
      'message.text',
      ({ text }) => text === 'stop',
      () => 'stopped',
    );
    app.on('message.text', ({ text }) => `read ${text}`);
    expect(await run(app, textMessage('stop'))).toBe('stopped');
    expect(await run(app, textMessage('go'))).toBe('read go');
  });

  test('throws what a filter throws, before any handler runs', () => {
    const app = createApp().on(
      'message.text',
      () => JSON.parse('{'),
      () => {},
    );
    expect(() => find(app, text)).toThrow(SyntaxError);
  });

  test('is handed to its handler typed, beside the context', async () => {
    const handler = vi.fn();
    const app = createApp().on('message.text', handler);
    await run(app, text);
    expect(handler).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ text: 'Hi', from: '16505551234' }),
      context,
    );
    expect(find(app, text)?.event).toMatchObject({ text: 'Hi' });
  });

  test('that nobody handles has no handler', () => {
    expect(find(createApp(), text)).toBeUndefined();
  });

  test('is handled within the limits given with its handler, or the usual ones', () => {
    const app = createApp();
    app.on('message.text', () => {}, { retry: { attempts: 3 }, deadlineMs: 500 });
    app.on(
      'status.*',
      () => true,
      () => {},
      { deadlineMs: 700 },
    );
    app.on('flow.*', () => {});
    const limitsOf = (event: MetaEvent) => find(app, event)?.limits;
    const retry = { attempts: 12, minDelayMs: 1_000, maxDelayMs: 3_600_000 };
    expect(limitsOf(text)).toEqual({ retry: { ...retry, attempts: 3 }, deadlineMs: 500 });
    expect(limitsOf(status)).toEqual({ retry, deadlineMs: 700 });
    expect(limitsOf(alert)).toEqual({ retry, deadlineMs: 30_000 });
  });
});

describe('a completed Flow', () => {
  /** Two Flows with a `.completed` handler each, and a handler for what no Flow takes. */
  function appWithFlows(): App {
    const app = createApp();
    app.on('message.interactive.nfm_reply', () => 'nobody');
    app.on('message.*', () => 'too late');
    app.flow('silent');
    app.flow('booking').completed(() => 'booking');
    app.flow('survey').completed(() => 'survey', { matches: ({ response }) => response?.['kind'] === 'survey' });
    return app;
  }
  const reply = (token: string | undefined, params: object) => nfmReply({ token, params });

  test.each<[string, MetaEvent, string]>([
    ['its mark', reply('unused', { flowgate_flow: 'booking' }), 'booking'],
    ['its mark, whatever the token says', reply('booking:1', { flowgate_flow: 'survey' }), 'survey'],
    ['its name and a colon before the token', reply('booking:1', {}), 'booking'],
    ['what the app tells of it', reply(undefined, { kind: 'survey' }), 'survey'],
    ['nothing, without a colon', reply('booking', {}), 'nobody'],
    ['nothing, where the token only contains the name', reply('my booking:1', {}), 'nobody'],
    ['nothing, where another mark stands beside its token', reply('booking:1', { flowgate_flow: 'gone' }), 'nobody'],
    ['nothing, without a .completed handler', reply('silent:1', { flowgate_flow: 'silent' }), 'nobody'],
    ['nothing, without a token', reply(undefined, {}), 'nobody'],
  ])('is known by %s', async (_, event, handler) => {
    expect(await run(appWithFlows(), event)).toBe(handler);
  });

  test('that brings no JSON object is no Flow’s', async () => {
    const matches = vi.fn(() => true);
    const app = createApp();
    app.flow('any').completed(() => 'any', { matches });
    app.on('message.interactive.nfm_reply', () => 'nobody');
    const broken = { interactive: { type: 'nfm_reply', nfm_reply: { response_json: '[' } } };
    expect(await run(app, textMessage('', { fields: { type: 'interactive', ...broken } }))).toBe('nobody');
    expect(matches).not.toHaveBeenCalled();
  });

  test('is handed over without its token and its mark among the data', async () => {
    const handler = vi.fn();
    const app = createApp();
    app.flow('booking').completed(handler);
    await run(app, reply('booking:1', { slot: 9, flowgate_flow: 'booking' }));
    const completion = { data: { slot: 9 }, flowToken: 'booking:1', name: 'flow', from: '16505551234' };
    expect(handler).toHaveBeenCalledExactlyOnceWith(expect.objectContaining(completion), context);
    expect(handler.mock.calls[0]?.[0]).not.toHaveProperty('response');
  });

  test('is handed over as its schema makes it', async () => {
    const app = createApp();
    app.flow('booking').completed(z.object({ slot: z.coerce.number() }), ({ data }) => data);
    expect(await run(app, reply('booking:1', { slot: '9', more: 1 }))).toEqual({ slot: 9 });
  });

  test('that does not fit its schema is INPUT_INVALID, and tells the field without what was in it', async () => {
    const app = createApp();
    app.flow('booking').completed(z.object({ slot: z.number() }), () => {}, { retry: { attempts: 2 } });
    const event = reply('booking:1', { slot: 'canary' });
    const failure = { code: 'INPUT_INVALID', message: 'the payload does not fit the schema: see slot' };
    await expect(run(app, event)).rejects.toMatchObject(failure);
    expect(find(app, event)?.limits.retry.attempts).toBe(2);
  });

  test('is told by name, for the metrics', () => {
    const { handlers } = appWithFlows()[APP];
    const flowOf = (event: MetaEvent) => {
      const { id, type, payload } = itemOf(event);
      return handlers.flowOf(readEvent(id, type as EventType, payload));
    };
    expect([reply('booking:1', {}), reply('x', {}), text].map(flowOf)).toEqual(['booking', undefined, undefined]);
  });
});

describe('a job', () => {
  test('is handed its payload, and no event to reply to', async () => {
    const handler = vi.fn(() => 'sent');
    const app = createApp();
    expect(app.job('invoice', { attempts: 5, minDelayMs: 10, maxDelayMs: 20, deadlineMs: 900 }, handler)).toEqual({
      name: 'invoice',
    });
    const bound = findJob(app, 'invoice', { total: 7 });
    expect(await bound?.run(context)).toBe('sent');
    expect(handler).toHaveBeenCalledExactlyOnceWith({ total: 7 }, context);
    expect(bound).toMatchObject({
      event: undefined,
      limits: { retry: { attempts: 5, minDelayMs: 10, maxDelayMs: 20 }, deadlineMs: 900 },
    });
  });

  test('with a schema is handed what that makes of the payload, or is INPUT_INVALID', async () => {
    const app = createApp();
    app.job('invoice', { schema: z.object({ total: z.coerce.number() }) }, ({ total }) => total + 1);
    expect(await findJob(app, 'invoice', { total: '7' })?.run(context)).toBe(8);
    await expect(findJob(app, 'invoice', { total: 'canary' })?.run(context)).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.not.stringContaining('canary'),
    });
  });

  test('that this app does not know has no handler, whatever events it handles', () => {
    const app = createApp().on('message.*', () => {});
    expect(findJob(app, 'message.text')).toBeUndefined();
    expect(app[APP].handlers.has('invoice')).toBe(false);
  });
});

describe('a wrong use is a TypeError when it is made', () => {
  const noop = () => {};
  const on = (...args: unknown[]) => (createApp().on as (...args: unknown[]) => unknown)(...args);
  const job = (...args: unknown[]) => (createApp().job as (...args: unknown[]) => unknown)(...args);
  const completed = (...args: unknown[]) =>
    (createApp().flow('booking') as { completed(...args: unknown[]): unknown }).completed(...args);

  test.each<[string, () => unknown, string]>([
    ['an event that there is not', () => on('message.texts', noop), 'there is no event message.texts: see "Events"'],
    ['a pattern that there is not', () => on('*', noop), 'there is no event *'],
    ['no handler', () => on('message.text'), 'a handler must be a function'],
    ['a handler that is none', () => on('message.text', 'handler'), 'a handler must be a function'],
    ['a filter that is none', () => on('message.text', 'filter', noop), 'a filter must be a function'],
    [
      'no attempts',
      () => on('message.text', noop, { retry: { attempts: 0 } }),
      'attempts must be a whole number from 1 to 100',
    ],
    [
      'a short deadline',
      () => on('system', noop, { deadlineMs: 99 }),
      'deadlineMs must be a whole number from 100 to 3600000',
    ],
    [
      'a job name in upper case',
      () => job('Invoice', {}, noop),
      'a job name takes lower-case letters, digits, hyphens',
    ],
    ['a job name of 65 characters', () => job('x'.repeat(65), {}, noop), 'a job name takes lower-case letters'],
    ['a job without a handler', () => job('invoice', {}), 'a handler must be a function'],
    [
      'a job’s schema that is none',
      () => job('invoice', { schema: {} }, noop),
      'job invoice: schema is no Standard Schema',
    ],
    [
      'a job’s limits',
      () => job('invoice', { minDelayMs: -1 }, noop),
      'minDelayMs must be a whole number from 0 to 604800000',
    ],
    ['a completion without a handler', () => completed(z.object({})), 'a handler must be a function'],
    ['a completion’s limits', () => completed(noop, { deadlineMs: 1 }), 'deadlineMs must be a whole number'],
  ])('%s', (_, use, sentence) => {
    expect(use).toThrow(TypeError);
    expect(use).toThrow(sentence);
  });

  test('a job or a completion given twice', () => {
    const app = createApp();
    app.job('invoice', {}, noop);
    expect(() => app.job('invoice', {}, noop)).toThrow(new TypeError('job invoice was given twice'));
    const flow = app.flow('booking').completed(noop);
    expect(() => flow.completed(noop)).toThrow(new TypeError('flow booking: completed was given twice'));
  });
});
