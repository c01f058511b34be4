import { afterAll, describe, expect, test } from 'vitest';
import { isObject, type JsonObject } from '../../../src/json.ts';
import { answerBooking, bookingReport } from '../support/booking.ts';
import { chromiumPath } from '../support/chromium-available.ts';
import { randomId } from '../support/fake-server.ts';
import { closeBrowser, openBooking, play } from '../support/play.ts';

describe.skipIf(chromiumPath === undefined)('the inspector', () => {
  afterAll(closeBrowser);

  test('names what the guard found beside the field it is wrong with', async () => {
    const violations = [
      { screen: 'APPOINTMENT', key: 'times[0].title', rule: 'text-length', message: 'must have at most 30 characters' },
    ];
    await using opened = await play([bookingReport], (request) => {
      const { payload } = answerBooking(request);
      const answer = isObject(payload)
        ? { ...payload, data: { ...(payload['data'] as JsonObject), times: [{ id: 'a', title: 'long' }] } }
        : {};
      return { payload: answer, report: { refusal: { answer, violations } } };
    });
    const { page } = opened;
    await openBooking(page);
    const marked = page.getByLabel('Decrypted answer').locator('li.wrong');
    expect(await marked.innerText()).toContain('text-length: must have at most 30 characters');
    expect(await marked.innerText()).toContain('title');
    expect(await page.getByText('1 with guard violations').isVisible()).toBe(true);
  });

  test('replays, edits and resends, and copies the session as a test', async () => {
    await using opened = await play([bookingReport], answerBooking, {
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    const { page, server } = opened;
    await openBooking(page);
    await page.getByRole('button', { name: 'Replay' }).click();
    await expect.poll(() => server.requests.length).toBe(2);
    await page
      .getByRole('button', { name: /^200 INIT/ })
      .first()
      .click();
    await page.getByRole('button', { name: 'Edit and resend' }).click();
    await page.getByLabel('Payload').fill('{');
    expect(await page.getByRole('button', { name: 'Send', exact: true }).last().isDisabled()).toBe(true);
    await page
      .getByLabel('Payload')
      .fill('{"action": "data_exchange", "screen": "APPOINTMENT", "data": {"step": "pick"}}');
    await page.locator('.resend').getByRole('button', { name: 'Send' }).click();
    await expect
      .poll(() => server.requests.at(-1))
      .toEqual({ action: 'data_exchange', screen: 'APPOINTMENT', data: { step: 'pick' } });
    await page.getByRole('button', { name: 'Copy as a test' }).click();
    await page.getByText('Copied').waitFor();
    const copied = await page.evaluate('navigator.clipboard.readText()');
    expect(copied).toContain("await phone.open('booking');");
  });

  test('has switches for what can go wrong', async () => {
    await using opened = await play([bookingReport], answerBooking);
    const { page, phone, server } = opened;
    const toggle = async (name: string) => {
      await page.getByRole('tab', { name: 'Switches' }).click();
      await page.getByRole('switch', { name }).click();
    };
    await toggle('Rotated key');
    await openBooking(page);
    expect(await page.getByRole('switch', { name: 'Rotated key' }).isChecked()).toBe(false);
    await page.getByRole('tab', { name: 'Requests' }).click();
    await page.getByText('421 → 200').waitFor();
    await toggle('Endpoint down');
    await phone.getByRole('button', { name: /What for/ }).click();
    await phone.getByRole('option', { name: 'Eye test' }).click();
    await phone.getByText('Something went wrong').waitFor();
    await toggle('Endpoint down');
    await phone.getByRole('button', { name: 'Retry' }).click();
    await expect.poll(() => phone.getByRole('button', { name: /Where/ }).isEnabled()).toBe(true);
    await page.getByLabel('Data API').selectOption('3.0');
    await phone.getByRole('button', { name: /Where/ }).click();
    await phone.getByRole('option', { name: /North/ }).click();
    await expect.poll(() => server.requests.at(-1)?.['version']).toBe('3.0');
    await page.getByLabel('Slow network').selectOption('500');
    await phone.getByRole('button', { name: /Which day/ }).click();
    await phone.getByRole('option', { name: 'Mon 7 Jan' }).click();
    await phone.getByText('Loading').waitFor({ state: 'attached' });
    await page.getByRole('tab', { name: 'Requests' }).click();
    await expect.poll(() => page.locator('.bar').last().getAttribute('aria-label')).toContain('slow network 500 ms');
  });

  test('gives a dead token, which disables the message', async () => {
    await using opened = await play([bookingReport], ({ flow_token: token }) =>
      /^booking:[\w-]{32}$/.test(String(token))
        ? { status: 427, payload: { error_msg: 'Booked already' } }
        : answerBooking({ action: 'INIT' }),
    );
    const { page, phone } = opened;
    await page.getByRole('tab', { name: 'Switches' }).click();
    await page.getByLabel(/Dead/).check();
    await page.getByRole('button', { name: 'Send the Flow’s message' }).click();
    await page.getByRole('button', { name: 'Open booking' }).last().click();
    await phone.getByText('Booked already').waitFor();
    await phone.getByRole('button', { name: 'Back to the chat' }).click();
    expect(await page.getByRole('button', { name: 'Open booking' }).last().isDisabled()).toBe(true);
    await phone.getByRole('button', { name: 'Send a new message' }).click();
    expect(await page.getByRole('button', { name: 'Open booking' }).last().isEnabled()).toBe(true);
  });

  test('shows what the inbox does, and replays and purges from there', async () => {
    await using opened = await play([bookingReport], answerBooking);
    const { page, phone, server } = opened;
    const dead = randomId('job');
    server.inbox = [
      { id: dead, kind: 'job', type: 'invoice', state: 'dead', attempts: 8, storedAtMs: 1, error: 'no token' },
    ];
    await phone.getByLabel('Message').fill('Hello');
    await phone.getByRole('button', { name: 'Send' }).click();
    await phone.getByText('Delivered to the webhook').waitFor();
    await page.getByRole('tab', { name: 'Inbox' }).click();
    await page.getByRole('button', { name: 'Send as active' }).click();
    await expect
      .poll(() => server.webhooks)
      .toEqual([
        { kind: 'text', text: 'Hello' },
        { kind: 'alert', alert: 'client_error_rate', isActive: true },
      ]);
    await page.getByRole('button', { name: 'Replay' }).click();
    await page.getByRole('button', { name: 'Purge' }).click();
    await expect.poll(() => server.adminCalls).toEqual([`/inbox/items/${dead}/replay`, `/inbox/items/${dead}/purge`]);
  });
});
