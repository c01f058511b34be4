// biome-ignore-all lint/suspicious/noTemplateCurlyInString: so bindings of Flow JSON are written
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/json.ts';
import { viewOf } from '../../../src/playground/web/flow/view.ts';
import { footer, opened, screenOf, string, text } from '../support/phone-driver.ts';

describe('an action', () => {
  test('navigate brings its payload, under the rules of an answer', () => {
    const screens = [screenOf('A', [text('a')]), screenOf('B', [text('${data.t}')], { data: { t: string } })];
    const phone = opened({ routing_model: { A: ['B'], B: [] }, screens });
    const go = (payload: JsonObject) =>
      ({ type: 'press', action: { name: 'navigate', next: { name: 'B' }, payload } }) as const;
    phone.do(go({ t: 5 }));
    expect(phone.notice).toMatchObject({ action: 'navigate', data: { error: 'payload-schema-error' } });
    phone.do({ type: 'back' }).do(go({ t: 'five' }));
    expect(viewOf(phone.state)?.nodes[0]?.props['text']).toBe('five');
  });

  test('update_data changes the data of the screen and asks nobody', () => {
    const options = (['one', 'two'] as const).map((id) => ({
      id,
      title: id,
      'on-select-action': { name: 'update_data', payload: { last: id, other: '${data.keep}' } },
      'on-unselect-action': { name: 'update_data', payload: { last: `not ${id}` } },
    }));
    const group = { type: 'CheckboxGroup', name: 'g', label: 'G', 'data-source': options };
    const phone = opened(
      { screens: [screenOf('A', [group], { data: { last: string, keep: string } })] },
      { last: '', keep: 'k' },
    );
    phone.change('g', ['one'], 'one');
    expect(phone.state.frames[0]?.data).toEqual({ last: 'one', keep: 'k', other: 'k' });
    phone.change('g', [], 'one');
    expect(phone.state.frames[0]?.data['last']).toBe('not one');
    expect(phone.sent).toHaveLength(1);
  });

  test('of a component runs on unselect, too, unless that has one of its own', () => {
    const update = (to: string) => ({ name: 'update_data', payload: { last: to } });
    const source = [{ id: 'a', title: 'A' }];
    const both = {
      type: 'CheckboxGroup',
      name: 'both',
      label: 'B',
      'data-source': source,
      'on-select-action': update('both'),
    };
    const own = { ...both, name: 'own', 'on-select-action': update('on'), 'on-unselect-action': update('off') };
    const optIn = {
      type: 'OptIn',
      name: 'opt',
      label: 'O',
      'on-select-action': update('in'),
      'on-unselect-action': update('out'),
    };
    const phone = opened({ screens: [screenOf('A', [both, own, optIn], { data: { last: string } })] });
    const last = () => phone.state.frames[0]?.data['last'];
    const after = [
      phone.change('both', ['a'], 'a') && last(),
      phone.change('own', ['a'], 'a') && last(),
      phone.change('both', [], 'a') && last(),
      phone.change('own', [], 'a') && last(),
      phone.change('opt', true) && last(),
      phone.change('opt', false) && last(),
    ];
    expect(after).toEqual(['both', 'on', 'both', 'off', 'in', 'out']);
  });

  test('of a range calendar waits for its last day', () => {
    const action = { name: 'data_exchange', payload: { days: '${form.days}' } };
    const calendar = { type: 'CalendarPicker', name: 'days', label: 'D', mode: 'range', 'on-select-action': action };
    const phone = opened({ screens: [screenOf('A', [calendar])] });
    expect(phone.change('days', { 'start-date': '2030-01-07' }).sent).toHaveLength(1);
    const range = { 'start-date': '2030-01-07', 'end-date': '2030-01-09' };
    expect(phone.change('days', range).sent.at(-1)?.data).toEqual({ days: range });
  });

  test('open_url is shown, not followed', () => {
    const phone = opened({ screens: [screenOf('A', [text('a')])] });
    phone.do({ type: 'press', action: { name: 'open_url', url: 'https://example.org' } });
    expect(phone.state.url).toBe('https://example.org');
    expect(phone.do({ type: 'dismiss' }).state.url).toBeUndefined();
  });

  test('complete ends the Flow with what its files become in a message', () => {
    const picker = { type: 'DocumentPicker', name: 'papers', label: 'Papers' };
    const complete = footer({ name: 'complete', payload: { papers: '${form.papers}', name: 'Ada' } });
    const phone = opened({ screens: [screenOf('A', [picker, complete], { terminal: true, success: false })] });
    const file = { media_id: 'm1', cdn_url: 'https://cdn', file_name: 'a.pdf', encryption_metadata: {} };
    const info = { file_name: 'a.pdf', mime_type: 'application/pdf', sha256: 'aGFzaA==' };
    phone.do({ type: 'uploaded', id: 'm1', info }).change('papers', [file]).pressFooter();
    expect(phone.state.completion).toEqual({
      params: { papers: [{ ...info, id: 'm1' }], name: 'Ada', flow_token: 'token' },
      by: 'complete',
      isSuccess: false,
    });
  });

  test('that nobody knows is said, and does nothing', () => {
    const phone = opened({ screens: [screenOf('A', [text('a')])] });
    expect(phone.do({ type: 'press', action: { name: 'teleport' } }).state.snackbar).toContain('teleport');
    expect(phone.do({ type: 'press', action: undefined }).state.failure).toBeUndefined();
  });
});
