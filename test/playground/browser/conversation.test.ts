import type { Locator } from 'playwright-core';
import { afterAll, describe, expect, test } from 'vitest';
import { createApp } from '../../../src/app.ts';
import type { Sent, SentContent, SentMessage } from '../../../src/playground/sent.ts';
import { eventually } from '../../support/eventually.ts';
import { FakeGraph, GRAPH_TOKEN, PHONE_NUMBER_ID } from '../../support/fake-graph.ts';
import { TestPlayground } from '../server/support/playground.ts';
import { answerBooking, bookingReport } from '../support/booking.ts';
import { bookingApp } from '../support/booking-app.ts';
import { accessibilityFaults, launchBrowser, openPage, PHONE_SIZED, phoneOf } from '../support/browser.ts';
import { chromiumPath } from '../support/chromium-available.ts';
import { closeBrowser, pickSlot, play } from '../support/play.ts';

const write = async (phone: Locator, text: string) => {
  await phone.getByLabel('Message', { exact: true }).fill(text);
  await phone.getByRole('button', { name: 'Send', exact: true }).click();
};
const bubbles = (phone: Locator) => phone.locator('.messages [data-sent]');

describe.skipIf(chromiumPath === undefined)('a conversation with an app that has no GRAPH_TOKEN', () => {
  test('goes from a first text to the answer that follows the end of the Flow', async () => {
    await using playground = await TestPlayground.start(bookingApp(), { REPLY_GUARD: 'report' });
    const browser = await launchBrowser();
    try {
      await using opened = await openPage(browser, `${playground.service.adminUrl}/playground`);
      const { page, complaints } = opened;
      const phone = phoneOf(page);
      await write(phone, 'hi <b>there</b>');
      const invitation = bubbles(phone).first();
      await invitation.getByText('You wrote: hi <b>there</b>').waitFor();
      await phone.getByText('Delivered to the webhook').and(phone.getByText(', read')).waitFor();

      await invitation.getByRole('button', { name: 'Book a visit' }).click();
      await phone.getByRole('heading', { name: 'Appointment' }).waitFor();
      await pickSlot(page);
      await phone.getByRole('button', { name: 'Continue' }).click();
      await phone.getByRole('heading', { name: 'Your details' }).waitFor();
      await phone.getByLabel('Name').fill('Ada Example');
      await phone.getByLabel('E-mail').fill('ada@example.org');
      await phone.getByLabel('Phone').fill('+1 555 010 9988');
      await phone.getByRole('button', { name: 'Continue' }).click();
      await phone.getByRole('heading', { name: 'Summary' }).waitFor();
      await phone.getByLabel('I agree to the terms').check();
      await phone.getByRole('button', { name: 'Book', exact: true }).click();
      await phone.getByText('Done. Your answers are sent.').waitFor();
      await phone.getByRole('button', { name: 'Back to the chat' }).click();

      const thanks = bubbles(phone).last();
      await thanks.getByText('Booked: R1').waitFor();
      await eventually(async () => {
        expect(await thanks.locator('.quote').innerText(), 'the completion').toBe('booking');
        expect(await phone.locator('.ticks.read').count(), 'the text, and the completion').toBe(2);
      });
      expect(await phone.getByText('is typing').count(), 'after the message came').toBe(0);
      expect(await phone.getByRole('log').innerText()).toContain('Your business: Booked: R1');
      expect(await accessibilityFaults(page)).toEqual([]);

      await invitation.getByRole('button', { name: 'Book a visit' }).click(); // its token is used up
      await phone.getByText('This form is no longer available.').waitFor();
      await phone.getByRole('button', { name: 'Back to the chat' }).click();
      expect(await invitation.getByRole('button', { name: 'Book a visit' }).isDisabled()).toBe(true);
      expect(complaints.filter((complaint) => !complaint.includes('427'))).toEqual([]);
    } finally {
      await browser.close();
    }
  });
});

describe.skipIf(chromiumPath === undefined)('a conversation with an app that has GRAPH_TOKEN', () => {
  test('goes elsewhere, and the page says so', async () => {
    await using graph = await FakeGraph.start();
    const app = createApp();
    app.flow('demo').init((c) => c.screen('A', {}));
    app.on('message.text', (_, c) => c.reply.text('Thanks'));
    const settings = { GRAPH_TOKEN, PHONE_NUMBER_ID, GRAPH_BASE_URL: graph.url };
    await using playground = await TestPlayground.start(app, settings);
    const browser = await launchBrowser();
    try {
      await using opened = await openPage(browser, `${playground.service.adminUrl}/playground`);
      const { page, complaints } = opened;
      await page.getByText('GRAPH_TOKEN is set').waitFor();
      await write(phoneOf(page), 'hi');
      await eventually(() => expect(graph.messages).toHaveLength(1));
      expect(await accessibilityFaults(page)).toEqual([]);
      expect(complaints).toEqual([]);
    } finally {
      await browser.close();
    }
  });
});

const MARKUP = '<script>alert(1)</script><img src=x onerror=alert(1)>';
let seq = 0;
const sent = (content: SentContent, more: Partial<SentMessage> = {}): Sent => {
  seq++;
  return { seq, atMs: Date.now(), kind: 'message', id: `wamid.${seq}`, content, ...more };
};
const read = (messageId: string, isTyping: boolean): Sent => {
  seq++;
  return { seq, atMs: Date.now(), kind: 'read', messageId, isTyping };
};

describe.skipIf(chromiumPath === undefined)('the chat', () => {
  afterAll(closeBrowser);

  const everyKind = (): Sent[] => [
    sent({ type: 'text', text: `${MARKUP}\nhttps://example.org is no link` }),
    sent({ type: 'document', filename: `${MARKUP}.pdf`, caption: MARKUP, mimeType: 'application/pdf', bytes: 2_048 }),
    sent({
      ...{ type: 'template', name: 'reminder', language: 'en_US' },
      parts: [{ part: 'body', values: ['Ada', MARKUP] }],
      button: { token: 'gone:t' },
    }),
    sent({
      ...{ type: 'flow', header: MARKUP, body: MARKUP, footer: MARKUP },
      button: { label: MARKUP, token: 't', called: 'gone_at_meta' },
    }),
    sent({ type: 'text', text: 'To a colleague' }, { to: '15550001111' }),
    sent({ type: 'text', text: 'As I said' }, { quotes: 'wamid.gone' }),
  ];

  test('shows all that can be sent, as text, without a fault of accessibility, light or dark, wide or narrow', async () => {
    await using opened = await play([bookingReport], answerBooking);
    const { page, phone, server, complaints } = opened;
    await write(phone, 'hi');
    await phone.getByText('Delivered to the webhook').waitFor();
    server.sent = [...everyKind(), read('wamid.person1', true)];
    await phone.getByText('is typing').waitFor();
    const all = bubbles(phone);
    const textOf = (n: number) => all.nth(n).innerText();
    expect(await textOf(0)).toBe(`${MARKUP}\nhttps://example.org is no link`);
    expect(await all.locator('a, img, script').count()).toBe(0);
    expect(await textOf(1)).toContain('Document, application/pdf, 2.0 kB');
    expect(await textOf(2)).toContain('The button is off: its token names no Flow of this app.');
    expect(await textOf(3)).toContain('this app has no Flow that Meta calls gone_at_meta');
    expect(await textOf(4)).toContain('To 15550001111: another phone than this one.');
    expect(await textOf(5)).toContain('A message that is not in this chat');
    for (const n of [2, 3]) expect(await all.nth(n).getByRole('button').isDisabled()).toBe(true);
    expect(await phone.locator('.ticks.read').count()).toBe(1);
    for (const viewport of [PHONE_SIZED, { width: 1360, height: 900 }]) {
      await page.setViewportSize(viewport);
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        if (viewport === PHONE_SIZED) await page.getByRole('tab', { name: 'Phone' }).click();
        expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
        expect(await accessibilityFaults(page), `${viewport.width}, ${colorScheme}`).toEqual([]);
      }
    }
    expect(complaints).toEqual([]);
  });

  test('opens another Flow of the app from its message, and goes back to the one that is chosen', async () => {
    const screens = [{ id: 'ONE', title: 'First of the other', layout: { children: [] } }];
    const other = { name: 'other', json: { version: '7.3', screens } as never, problems: [], hasCompleted: false };
    await using opened = await play([bookingReport, other], answerBooking);
    const { page, phone, server } = opened;
    server.sent = [
      sent({
        ...{ type: 'flow', body: 'Look' },
        button: { label: 'See', token: 'other:t', flow: 'other', start: { screen: 'ONE', data: {} } },
      }),
    ];
    await phone.getByRole('button', { name: 'See' }).focus();
    await page.keyboard.press('Enter');
    await phone.getByRole('heading', { name: 'First of the other' }).waitFor();
    expect(await page.getByLabel('Flow', { exact: true }).inputValue()).toBe('booking');
    await phone.getByRole('button', { name: 'Close the Flow' }).click();
    await page.getByRole('button', { name: 'Open booking' }).click();
    await phone.getByRole('heading', { name: 'Appointment' }).waitFor();
  });

  test('says a message that comes while a Flow covers it', async () => {
    await using opened = await play([bookingReport], answerBooking);
    const { page, phone, server } = opened;
    await page.getByRole('button', { name: 'Open booking' }).click();
    await phone.getByRole('heading', { name: 'Appointment' }).waitFor();
    server.sent = [sent({ type: 'text', text: 'Still there?' })];
    const said = phone.getByRole('log');
    await eventually(async () => expect(await said.innerText()).toBe('Your business: Still there?'));
  });

  test('begins anew after a restart of the app, with what was sent since', async () => {
    await using opened = await play([bookingReport], answerBooking);
    const { phone, server } = opened;
    server.sent = [sent({ type: 'text', text: 'Before' })];
    await bubbles(phone).getByText('Before').waitFor();
    server.sent = [{ ...sent({ type: 'text', text: 'After' }), seq: 1 }];
    server.app = { ...server.app, bootId: 'second' };
    await bubbles(phone).getByText('After').waitFor();
    expect(await bubbles(phone).count()).toBe(1);
  });
});
