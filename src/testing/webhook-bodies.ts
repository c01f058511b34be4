/** Packs events into the body of one delivery, and writes it as Meta does. */
import type { JsonObject } from '../json.ts';
import { type Business, type MessagesEvent, type MetaEvent, present, TEST_BUSINESS } from './webhook-events.ts';

/** Meta packs no more than this into one delivery. */
export const MAX_BATCH = 1_000;

/**
 * One body with all of `events`, in their order: messages that follow each other share a change, and so do statuses;
 * each alert is an entry with its time.
 *
 * @throws RangeError for more than 1,000.
 */
export function delivery(events: readonly MetaEvent[], business: Partial<Business> = {}): JsonObject {
  if (events.length > MAX_BATCH)
    throw new RangeError(`a delivery has at most ${MAX_BATCH} events, not ${events.length}`);
  const groups = groupNeighbours(events, (a, b) => a.kind !== 'flows' && b.kind !== 'flows');
  const entry = groups.map((group) => toEntry(group, { ...TEST_BUSINESS, ...business }));
  return { object: 'whatsapp_business_account', entry };
}

/** A body on the wire: Meta escapes slashes and what is not ASCII, so writing the parsed body again gives other bytes. */
export function toWireText(body: object): string {
  return JSON.stringify(body)
    .replaceAll('/', '\\/')
    .replaceAll(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** @param group one alert, or messages and statuses. */
function toEntry(group: readonly [MetaEvent, ...MetaEvent[]], business: Business): JsonObject {
  const [first] = group;
  const id = business.wabaId;
  if (first.kind === 'flows') return { id, time: first.timeSec, changes: [{ value: first.value, field: 'flows' }] };
  const events = group.filter((event) => event.kind !== 'flows');
  const runs = groupNeighbours(events, (a, b) => a.kind === b.kind);
  return { id, changes: runs.map((run) => ({ value: toValue(run, business), field: 'messages' })) };
}

function toValue(
  run: readonly [MessagesEvent, ...MessagesEvent[]],
  { displayPhoneNumber, phoneNumberId }: Business,
): JsonObject {
  const contacts = distinct(run.flatMap(({ contact }) => (contact ? [contact] : [])));
  return present({
    messaging_product: 'whatsapp',
    metadata: { display_phone_number: displayPhoneNumber, phone_number_id: phoneNumberId },
    contacts: contacts.length > 0 ? contacts : undefined,
    [run[0].kind]: run.map(({ item }) => item),
  });
}

/** Splits wherever two neighbours do not belong together. */
function groupNeighbours<T>(values: readonly T[], belong: (a: T, b: T) => boolean): (readonly [T, ...T[]])[] {
  const groups: [T, ...T[]][] = [];
  for (const value of values) {
    const last = groups.at(-1);
    if (last && belong(last[0], value)) last.push(value);
    else groups.push([value]);
  }
  return groups;
}

function distinct(values: readonly JsonObject[]): JsonObject[] {
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()];
}
