import { afterAll, describe, expect, test } from 'vitest';
import type { FlowReport } from '../../../src/playground/api.ts';
import { answerBooking, bookingReport } from '../support/booking.ts';
import { accessibilityFaults } from '../support/browser.ts';
import { chromiumPath } from '../support/chromium-available.ts';
import type { FakeServer } from '../support/fake-server.ts';
import { closeBrowser, play } from '../support/play.ts';

describe.skipIf(chromiumPath === undefined)('an app that changes', () => {
  afterAll(closeBrowser);

  const other: FlowReport = { ...bookingReport, name: 'other' };
  const restart = (server: FakeServer, bootId: string, more = {}) => {
    const { failure: _, ...app } = server.app;
    server.app = { ...app, bootId, ...more };
  };

  test('is loaded anew, and the Flow that was open stays the chosen one', async () => {
    await using opened = await play([bookingReport, other], answerBooking);
    const { page, phone, server } = opened;
    await page.getByLabel('Flow', { exact: true }).selectOption('other');
    await page.getByRole('button', { name: 'Open other' }).click();
    await phone.getByRole('heading', { name: 'Appointment' }).waitFor();
    server.isDown = true;
    await page.getByText('The server does not answer').waitFor();
    restart(server, 'second');
    server.isDown = false;
    await page.getByRole('button', { name: 'Open other' }).waitFor();
    expect(await page.getByLabel('Flow', { exact: true }).inputValue()).toBe('other');
    expect(await page.getByRole('list', { name: 'Requests' }).getByRole('button').count()).toBe(1);
  });

  test('that does not load is shown with why, until it does', async () => {
    await using opened = await play([bookingReport], answerBooking);
    const { page, server } = opened;
    const failure = { file: 'app.ts', message: 'Unexpected token', details: 'app.ts:3:1 <script>' };
    restart(server, 'second', { flows: [], failure });
    await page.getByText('The app does not load').waitFor();
    expect(await page.locator('main').innerText()).toContain('app.ts:3:1 <script>');
    restart(server, 'third', { flows: [bookingReport] });
    await page.getByRole('button', { name: 'Open booking' }).waitFor();
  });

  test('with a broken Flow JSON says what is wrong and where', async () => {
    const problems = [
      {
        severity: 'error',
        where: 'routing_model',
        rule: 'routing-unknown-screen',
        message: 'X is none of the screens',
      },
    ] as const;
    await using opened = await play([{ ...bookingReport, problems }], answerBooking);
    const { page, server } = opened;
    await page.getByText('X is none of the screens').waitFor();
    expect(await page.locator('main').innerText()).toContain('routing_model');
    expect(await accessibilityFaults(page)).toEqual([]);
    restart(server, 'second', { flows: [bookingReport] });
    await page.getByRole('button', { name: 'Open booking' }).waitFor();
  });

  test('without a Flow says how to add one', async () => {
    await using opened = await play([], answerBooking);
    await opened.page.getByText('The app has no Flow').waitFor();
  });
});
