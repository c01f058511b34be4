import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/json.ts';
import type { Business } from '../../src/tenants/sender.ts';
import { withBusiness, withoutBusiness } from '../../src/webhooks/business.ts';
import { withoutTraceparent, withTraceparent } from '../../src/webhooks/traceparent.ts';

const acme: Business = { kind: 'tenant', name: 'acme', phoneNumberId: '2' };
const globex: Business = { kind: 'tenant', name: 'globex' };

/** As the inbox keeps it. */
const store = (payload: object) => JSON.parse(JSON.stringify(payload)) as JsonObject;

describe('a job', () => {
  test('knows whose it is and what it was given, whatever that is, traced or not', () => {
    const key = fc.oneof(fc.string(), fc.constantFrom('flowgate.business', 'flowgate.payload', 'flowgate.traceparent'));
    const value = fc.oneof(fc.jsonValue(), fc.constant(globex), fc.constant(null));
    const payload = fc.oneof(fc.dictionary(key, value), fc.array(value));
    const whose = fc.constantFrom(undefined, acme, { ...acme, kind: 'flow' as const });
    fc.assert(
      fc.property(payload, whose, fc.boolean(), (given, business, isTraced) => {
        fc.pre(isTraced ? business !== undefined : !('flowgate.traceparent' in given) || business !== undefined);
        const owned = withBusiness(given, business);
        const stored = store(isTraced ? withTraceparent(owned, '00-1-2-01') : owned);
        expect(withoutBusiness(withoutTraceparent(stored))).toEqual({ business, payload: store(given) });
      }),
    );
  });

  test('of the settings’ own business is kept as it was given', () => {
    const payload = { order: 1 };
    expect(withBusiness(payload, undefined)).toBe(payload);
  });

  test.each<[string, object]>([
    ['a field of a payload', { 'flowgate.business': globex, 'flowgate.payload': { order: 1 } }],
    ['what a payload becomes in JSON', { toJSON: () => ({ 'flowgate.business': globex, 'flowgate.payload': {} }) }],
    ['what a payload inherits', Object.create({ toJSON: () => ({ 'flowgate.business': globex }) }) as object],
  ])('takes nobody’s name from %s', (_, payload) => {
    for (const business of [undefined, acme]) {
      const read = withoutBusiness(store(withBusiness(payload, business)));
      expect(read).toEqual({ business, payload: store(payload) });
    }
  });

  test('keeps whose it is when its payload is nothing in JSON', () => {
    const nothing = { toJSON: () => undefined };
    expect(withoutBusiness(store(withBusiness(nothing, acme)))).toEqual({ business: acme, payload: {} });
  });
});
