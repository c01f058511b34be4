/** The phone's state machine, driven by hand: no page, no wire. */
import bookingJson from '../../../examples/booking/booking.flow.json' with { type: 'json' };
import type { JsonObject, JsonValue } from '../../../src/json.ts';
import { readFlow } from '../../../src/playground/web/flow/flow.ts';
import { step } from '../../../src/playground/web/flow/phone.ts';
import {
  closedPhone,
  type Effect,
  type FlowRequest,
  type Outcome,
  type PhoneEvent,
  type PhoneState,
} from '../../../src/playground/web/flow/phone-state.ts';
import { viewOf } from '../../../src/playground/web/flow/view.ts';
import { answerBooking } from './booking.ts';

/** A phone with its last effects. */
export class Driver {
  state: PhoneState;
  effects: readonly Effect[] = [];
  readonly sent: FlowRequest[] = [];

  constructor(json: unknown, token = 'token') {
    this.state = closedPhone(readFlow('flow', json), { token, apiVersion: '4.0' });
  }

  do(event: PhoneEvent): this {
    const { state, effects } = step(this.state, event);
    this.state = state;
    this.effects = effects;
    for (const effect of effects) if (effect.type === 'send') this.sent.push(effect.request);
    return this;
  }

  answer(payload: JsonValue): this {
    return this.end({ kind: 'answer', payload });
  }

  end(outcome: Outcome): this {
    return this.do({ type: 'answered', id: this.state.pending?.id ?? 0, outcome });
  }

  get screen(): string | undefined {
    return this.state.frames.at(-1)?.screen;
  }

  get form(): JsonObject {
    return viewOf(this.state)?.form ?? {};
  }

  change(name: string, value: JsonValue | undefined, option?: string): this {
    return this.do({ type: 'change', name, value, ...(option !== undefined && { option }) });
  }

  pressFooter(): this {
    const footer = viewOf(this.state)?.nodes.find(({ type }) => type === 'Footer');
    return this.do({ type: 'press', action: footer?.component['on-click-action'], isFooter: true });
  }

  /** Answers what was sent last as the booking app does. */
  booking(): this {
    return this.answer(answerBooking({ ...this.sent.at(-1) }).payload ?? null);
  }

  get notice(): FlowRequest | undefined {
    return this.effects.find((effect) => effect.type === 'notify')?.request;
  }
}

export const screenOf = (id: string, children: JsonObject[], more: JsonObject = {}) => ({
  id,
  title: id,
  layout: { type: 'SingleColumnLayout', children },
  ...more,
});

export const footer = (action: JsonObject) => ({ type: 'Footer', label: 'Go', 'on-click-action': action });
export const text = (value: string) => ({ type: 'TextBody', text: value });
export const string = { type: 'string', __example__: 'x' };

export function opened(json: JsonObject, data: JsonObject = {}): Driver {
  const phone = new Driver({ version: '7.3', data_api_version: '4.0', ...json }).do({ type: 'open' });
  return phone.answer({ screen: 'A', data });
}

export function playBooking(time = '09:30'): Driver {
  const phone = new Driver(bookingJson).do({ type: 'open' }).booking();
  phone.change('department', 'eyes', 'eyes').booking();
  phone.change('location', 'north', 'north').booking();
  phone.change('date', '2030-01-07', '2030-01-07').booking();
  return phone.change('time', time, time).pressFooter().booking();
}
