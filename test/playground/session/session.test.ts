import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/json.ts';
import type { ExchangeReport, WebhookRequest } from '../../../src/playground/api.ts';
import type { PhoneEvent } from '../../../src/playground/web/flow/phone-state.ts';
import { toTest } from '../../../src/playground/web/inspector/copy-as-test.ts';
import type { ChatMessage } from '../../../src/playground/web/session/chat-messages.ts';
import { MAX_RECORDS } from '../../../src/playground/web/session/records.ts';
import { Session } from '../../../src/playground/web/session/session.ts';
import { deadToken } from '../../../src/playground/web/switches/dead-token.ts';
import { eventually } from '../../support/eventually.ts';
import { answerBooking, bookingReport } from '../support/booking.ts';
import { currentPublicKey, type FakeAnswer, open } from '../support/fake-server.ts';

const app = { bootId: 'boot', flows: [bookingReport], sendsToPhone: true };

function start(endpoint: (request: JsonObject) => FakeAnswer = answerBooking) {
  const requests: JsonObject[] = [];
  const webhooks: WebhookRequest[] = [];
  const api = {
    publicKey: async () => currentPublicKey,
    token: async ({ flow, user }: { flow: string; user: string }) => `${flow}:minted-for-${user}`,
    tokenSignature: async () => 'e30.e30.c2ln',
    webhook: async (request: WebhookRequest) => {
      webhooks.push(request);
      return { status: 200, tookMs: 1, body: '{}', items: [] };
    },
    sent: async () => ({ bootId: 'boot', nowMs: 0, sent: [] }),
    exchange: async (_flow: string, envelope: string): Promise<ExchangeReport> => {
      const opened = open(envelope);
      requests.push(opened?.request ?? {});
      const { status = 200, payload, after } = endpoint(opened?.request ?? {});
      await after;
      const body = payload === undefined ? '' : (opened?.seal(JSON.stringify(payload)) ?? '');
      return { status, body, contentType: 'text/plain', tookMs: 1, requestBytes: 1, responseBytes: 1, stages: [] };
    },
  };
  const timing = {
    now: () => 0,
    pause: (ms: number) => (ms >= 10_000 ? new Promise<void>(() => {}) : Promise.resolve()),
  };
  const session = new Session(bookingReport, { app, api, timing, randomToken: () => 'random-token' });
  const flowMessage = () =>
    session.store.value.messages.findLast(
      (message): message is Extract<ChatMessage, { kind: 'flow' }> => message.kind === 'flow',
    );
  const openFlow = async () => {
    const message = flowMessage();
    if (message) await session.openFlow(message);
    await settled();
  };
  const settled = () => eventually(() => expect(session.store.value.phone.pending).toBeUndefined());
  const act = async (...events: PhoneEvent[]) => {
    for (const event of events) {
      session.dispatch(event);
      await settled();
    }
  };
  return { session, requests, webhooks, openFlow, act, flowMessage };
}

const change = (name: string, value: string) => ({ type: 'change', name, value }) as const;
const SLOT = { department: 'eyes', location: 'north', date: '2030-01-07', time: '09:30' };

describe('a session', () => {
  test('plays a Flow, delivers its completion, and can be copied as a test', async () => {
    const { session, requests, webhooks, openFlow, act } = start();
    await session.sendFlowMessage();
    await openFlow();
    await act(
      change('department', 'eyes'),
      change('location', 'north'),
      change('date', '2030-01-07'),
      change('time', '09:30'),
    );
    const press = (data: JsonObject) => ({ type: 'press', action: { name: 'data_exchange', payload: data } }) as const;
    await act(
      press({ step: 'submit', ...SLOT }),
      press({ ...SLOT, name: 'Ada', email: 'a@b.cd', phone: '12345' }),
      press(SLOT),
    );
    const { messages, records, steps } = session.store.value;
    expect(requests[0]).toEqual({
      version: '4.0',
      action: 'INIT',
      flow_token: 'random-token',
      flow_token_signature: 'e30.e30.c2ln',
    });
    expect(webhooks).toMatchObject([
      { kind: 'completion', flow: 'booking', token: 'random-token', params: { reference: 'R1' } },
    ]);
    expect(messages.at(-1)).toMatchObject({ kind: 'completion', delivery: { report: { status: 200 } } });
    expect(records.map(({ verdict }) => verdict)).toEqual([
      'shows APPOINTMENT',
      'shows APPOINTMENT',
      'shows APPOINTMENT',
      'shows APPOINTMENT',
      'shows DETAILS',
      'shows SUMMARY',
      'completes the Flow',
    ]);
    const code = toTest({ flow: 'booking', apiVersion: '4.0', steps });
    expect(code).toContain("await phone.open('booking');\n  expect(phone.screen).toBe('APPOINTMENT');");
    expect(code).toContain('expect(phone.completed).toMatchObject({');
  });

  test('notifies the endpoint of an answer it cannot use, and records it apart', async () => {
    const { session, requests, openFlow } = start(() => ({ payload: { screen: 'NOWHERE', data: {} } }));
    await session.sendFlowMessage();
    await openFlow();
    await eventually(() => expect(requests).toHaveLength(2));
    expect(requests[1]).toMatchObject({ action: 'INIT', data: { error: 'invalid-screen-transition' } });
    expect(session.store.value.records.map(({ kind }) => kind)).toEqual(['phone', 'notification']);
  });

  test('disables the message of a dead token', async () => {
    const { session, openFlow, flowMessage } = start(() => ({ status: 427, payload: { error_msg: 'Over' } }));
    await session.sendFlowMessage({ kind: 'dead', token: deadToken('booking') });
    await openFlow();
    expect(flowMessage()).toMatchObject({ isDisabled: true, token: expect.stringMatching(/^booking:[\w-]{32}$/) });
    expect(session.store.value.phone.expiredText).toBe('Over');
    session.leaveFlow();
    expect(session.store.value.isFlowOpen).toBe(false);
  });

  test('sends with a minted token, and the data API that is chosen', async () => {
    const { session, requests, openFlow } = start();
    session.setApiVersion('3.0');
    await session.sendFlowMessage({ kind: 'minted', user: 'ada' });
    await openFlow();
    expect(requests[0]).toEqual({ version: '3.0', action: 'INIT', flow_token: 'booking:minted-for-ada' });
  });

  test('replays and edits a request past the phone', async () => {
    const { session, requests, openFlow } = start();
    await session.sendFlowMessage();
    await openFlow();
    const [record] = session.store.value.records;
    const { phone } = session.store.value;
    if (record) await session.resend(record);
    if (record) await session.resend(record, { action: 'ping' });
    expect(requests.slice(1)).toEqual([requests[0], { action: 'ping' }]);
    expect(session.store.value.records.map(({ kind }) => kind)).toEqual(['phone', 'replayed', 'edited']);
    expect(session.store.value.phone).toBe(phone);
  });

  test('goes back to working after the endpoint was down', async () => {
    const { session, openFlow, act } = start();
    session.setConditions({ isDown: true });
    await session.sendFlowMessage();
    await openFlow();
    expect(session.store.value.phone.failure?.reason).toBe('The endpoint could not be reached.');
    session.setConditions({ isDown: false });
    await act({ type: 'retry' });
    expect(session.store.value.phone.frames.at(-1)?.screen).toBe('APPOINTMENT');
    expect(
      toTest({ flow: 'booking', apiVersion: '4.0', steps: session.store.value.steps }).match(/phone\.open/g),
    ).toHaveLength(1);
  });

  test('takes no answer to a Flow that was closed for one to the Flow opened after it', async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const holds = [held];
    const { session, requests, flowMessage } = start(() => ({
      payload: { screen: 'NOWHERE', data: {} },
      after: holds.shift() ?? new Promise(() => {}),
    }));
    await session.sendFlowMessage();
    const message = flowMessage();
    if (message) await session.openFlow(message);
    await eventually(() => expect(requests, 'sealing is done off the thread, in any order').toHaveLength(1));
    session.leaveFlow();
    if (message) await session.openFlow(message);
    release();
    await eventually(() => expect(session.store.value.records[0]?.endMs).toBeDefined());
    expect(session.store.value.phone).toMatchObject({ failure: undefined, pending: { request: { action: 'INIT' } } });
  });

  test(`keeps the last ${MAX_RECORDS} requests`, async () => {
    const { session, openFlow } = start();
    await session.sendFlowMessage();
    await openFlow();
    const [record] = session.store.value.records;
    for (let count = 0; record && count < MAX_RECORDS; count++) await session.resend(record);
    expect(session.store.value.records).toHaveLength(MAX_RECORDS);
    expect(session.store.value.records[0]?.kind).toBe('replayed');
  });

  test('goes on with the timeline of the one before', async () => {
    const { session, openFlow } = start();
    await session.sendFlowMessage();
    await openFlow();
    const next = new Session(
      bookingReport,
      { app, api: {} as never, timing: { now: () => 0, pause: async () => {} }, randomToken: () => 't' },
      session.store.value,
    );
    expect(next.store.value.records).toHaveLength(1);
    expect(next.store.value.messages).toEqual([]);
    await next.sendFlowMessage();
    expect(next.store.value.messages[0]?.id).toBeGreaterThan(next.store.value.records[0]?.id ?? 0);
  });
});
