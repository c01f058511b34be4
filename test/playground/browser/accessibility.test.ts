import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import type { JsonValue } from '../../../src/json.ts';
import type { FlowReport } from '../../../src/playground/api.ts';
import { answerBooking, bookingReport } from '../support/booking.ts';
import { accessibilityFaults, PHONE_SIZED } from '../support/browser.ts';
import { chromiumPath } from '../support/chromium-available.ts';
import { randomId } from '../support/fake-server.ts';
import { closeBrowser, openBooking, play } from '../support/play.ts';

const everyComponent = JSON.parse(
  readFileSync(new URL('../../fixtures/flow-json/every-component.json', import.meta.url), 'utf8'),
) as { screens: { id: string; data?: Record<string, { __example__?: JsonValue }> }[] };

describe.skipIf(chromiumPath === undefined)('the page', () => {
  afterAll(closeBrowser);

  test('can be used with the keyboard alone', async () => {
    await using opened = await play([bookingReport], answerBooking);
    const { page, phone } = opened;
    await page.getByRole('button', { name: 'Open booking' }).focus();
    await page.keyboard.press('Enter');
    const focused = page.locator(':focus');
    await expect.poll(() => focused.innerText()).toBe('Appointment');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await expect.poll(() => focused.innerText()).toBe('Eye test');
    await page.keyboard.press('Escape');
    await expect.poll(() => focused.getAttribute('aria-haspopup')).toBe('dialog');
    await page.keyboard.press('Enter');
    await expect.poll(() => focused.innerText()).toBe('Eye test');
    await page.keyboard.press('ArrowDown');
    await expect.poll(() => focused.innerText()).toBe('Hearing test');
    await page.keyboard.press('Enter');
    await expect.poll(() => phone.getByRole('button', { name: /What for/ }).innerText()).toBe('Hearing test');
    await expect.poll(() => focused.innerText()).toBe('Hearing test');
    await page.getByRole('tab', { name: 'Requests' }).focus();
    await page.keyboard.press('ArrowRight');
    await expect.poll(() => focused.innerText()).toBe('Inbox');
    await expect.poll(() => page.getByRole('tabpanel').getAttribute('aria-labelledby')).toBe('tab-inbox');
  });

  test('draws every component, without a labelled box and without a serious fault of accessibility', async () => {
    const exampleOf = (id: string) => {
      const model = everyComponent.screens.find((screen) => screen.id === id)?.data ?? {};
      return Object.fromEntries(Object.entries(model).map(([key, { __example__: example }]) => [key, example ?? '']));
    };
    const reports = everyComponent.screens.map((screen): FlowReport => {
      const screens = [screen, ...everyComponent.screens.filter(({ id }) => id !== screen.id)];
      const json = { ...everyComponent, routing_model: undefined, screens };
      return { name: screen.id, json: json as never, problems: [], hasCompleted: false };
    });
    await using opened = await play(reports, (_, flow) => ({ payload: { screen: flow, data: exampleOf(flow) } }));
    const { page, phone, complaints } = opened;
    for (const { name } of reports) {
      await page.getByLabel('Flow', { exact: true }).selectOption(name);
      await page.getByRole('button', { name: `Open ${name}` }).click();
      await page.locator(`[data-screen=${name}]`).waitFor();
      expect(await phone.locator('[data-unknown], [data-failure], .missing').allTextContents(), name).toEqual([]);
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        expect(await accessibilityFaults(page), `${name}, ${colorScheme}`).toEqual([]);
      }
    }
    expect(complaints).toEqual([]);
  });

  test('has no fault of accessibility in any of its views, wide or narrow', async () => {
    await using opened = await play([bookingReport], answerBooking);
    const { page, phone, server } = opened;
    const event = randomId('evt');
    server.inbox = [
      { id: event, kind: 'event', type: 'completion', state: 'done', attempts: 1, storedAtMs: 1 },
      {
        id: randomId('job'),
        kind: 'job',
        type: 'invoice',
        state: 'dead',
        attempts: 8,
        storedAtMs: 2,
        error: 'no token',
        deferredBy: event,
      },
      {
        id: randomId('job'),
        kind: 'job',
        type: 'later',
        state: 'waiting',
        attempts: 0,
        storedAtMs: 2,
        dueAtMs: Date.now() + 60_000,
      },
    ];
    await openBooking(page);
    await phone.getByRole('button', { name: /What for/ }).click();
    for (const viewport of [{ width: 1360, height: 900 }, PHONE_SIZED]) {
      await page.setViewportSize(viewport);
      for (const name of viewport === PHONE_SIZED
        ? ['Phone', 'Requests', 'Inbox', 'Switches']
        : ['Requests', 'Inbox', 'Switches']) {
        await page.getByRole('tab', { name }).click();
        if (name === 'Inbox') await page.getByText('no token').waitFor();
        expect(await accessibilityFaults(page), `${name}, ${viewport.width}`).toEqual([]);
      }
    }
  });

  test('fits a window as small as a phone', async () => {
    await using opened = await play([bookingReport], answerBooking, { viewport: PHONE_SIZED });
    const { page, phone } = opened;
    await openBooking(page);
    await phone.getByRole('button', { name: 'Continue' }).click({ trial: true });
    for (const name of ['Requests', 'Inbox', 'Switches', 'Phone']) {
      await page.getByRole('tab', { name }).click();
      expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    }
    expect(await phone.getByRole('heading', { name: 'Appointment' }).isVisible()).toBe(true);
  });
});
