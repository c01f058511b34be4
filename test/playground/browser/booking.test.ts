import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createApp } from '../../../src/app.ts';
import { RunningCommand, temporaryDirectory } from '../../support/command.ts';
import { FakeGraph, GRAPH_TOKEN, PHONE_NUMBER_ID } from '../../support/fake-graph.ts';
import { TestPlayground } from '../server/support/playground.ts';
import { accessibilityFaults, launchBrowser, type OpenedPage, openPage, phoneOf } from '../support/browser.ts';
import { chromiumPath } from '../support/chromium-available.ts';
import { openBooking, pickSlot } from '../support/play.ts';

const WORKING = { HOST: '127.0.0.1', PORT: '0', ADMIN_PORT: '0', WORKERS: '1' };
/** Set to write the picture that the README shows. */
const SCREENSHOT = process.env['PLAYGROUND_SCREENSHOT'];
const SHOWN = fileURLToPath(new URL('../../../docs/playground.png', import.meta.url));

describe.skipIf(chromiumPath === undefined)('the playground of a development server', () => {
  let browser: Browser;
  let graph: FakeGraph;
  let dev: RunningCommand;
  let url = '';

  beforeAll(async () => {
    [browser, graph] = await Promise.all([launchBrowser(), FakeGraph.start()]);
    const sending = { GRAPH_TOKEN, PHONE_NUMBER_ID, GRAPH_BASE_URL: graph.url };
    dev = new RunningCommand(['dev', 'examples/booking/app.ts'], {
      ...WORKING,
      ...sending,
      HOME: temporaryDirectory(),
    });
    [, url = ''] = await dev.printed(/in a browser +(http\S+)\n/);
  });
  afterAll(async () => {
    dev.process.kill('SIGTERM');
    await Promise.all([browser.close(), graph[Symbol.asyncDispose](), dev.ended]);
  });

  const opened = (): Promise<OpenedPage> => openPage(browser, url);
  const timeline = (page: Page) => page.getByRole('list', { name: 'Requests' }).getByRole('button');
  const lastRow = (page: Page) => expect.poll(() => timeline(page).last().innerText());
  const tab = (page: Page, name: string) => page.getByRole('tab', { name }).click();

  test('plays the booking Flow to its end, and shows what became of it', async () => {
    await using open = await opened();
    const { page, complaints } = open;
    const phone = phoneOf(page);
    await openBooking(page);
    await pickSlot(page);
    await phone.getByRole('button', { name: 'Continue' }).click();
    await phone.getByRole('heading', { name: 'Your details' }).waitFor();

    await phone.getByRole('button', { name: 'Back' }).click();
    await phone.getByRole('heading', { name: 'Appointment' }).waitFor();
    await lastRow(page).toContain('BACK');
    await expect.poll(() => phone.getByRole('button', { name: /What time/ }).innerText()).toContain('09:30');
    await phone.getByRole('button', { name: 'Continue' }).click();
    await phone.getByRole('heading', { name: 'Your details' }).waitFor();

    await phone.getByLabel('Name').fill('A');
    await phone.getByLabel('E-mail').fill('ada@example.org');
    await phone.getByLabel('Phone').fill('+1 555 010 9988');
    await phone.getByRole('button', { name: 'Continue' }).click();
    await phone.getByText('Please enter your name').first().waitFor();
    expect(await phone.getByLabel('Name').getAttribute('aria-invalid')).toBe('true');
    expect(await accessibilityFaults(page)).toEqual([]);
    await phone.getByLabel('Name').fill('Ada Example');
    await phone.getByRole('button', { name: 'Continue' }).click();
    await phone.getByRole('heading', { name: 'Summary' }).waitFor();
    expect(await phone.innerText()).toContain('Ada Example');

    const count = await timeline(page).count();
    await phone.getByRole('button', { name: 'Book', exact: true }).click(); // the terms are to be agreed to first
    await expect.poll(() => phone.locator('[aria-invalid=true], [data-invalid=true]').count()).toBeGreaterThan(0);
    expect(await timeline(page).count()).toBe(count);
    await phone.getByLabel('I agree to the terms').check();
    if (SCREENSHOT) await page.screenshot({ path: SHOWN });
    await phone.getByRole('button', { name: 'Book', exact: true }).click();
    await phone.getByText('Done. Your answers are sent.').waitFor();

    const bar = timeline(page).last().locator('.bar');
    for (const stage of ['queue', 'RSA', 'handler', 'guard', 'seal', 'network']) {
      await expect.poll(() => bar.getAttribute('aria-label')).toContain(`${stage} `);
    }
    expect(await page.getByLabel('Decrypted answer').innerText()).toContain('SUCCESS');

    await phone.getByRole('button', { name: 'Back to the chat' }).click();
    await phone.getByText('Delivered to the webhook').waitFor();
    expect(await phone.locator('[data-completion=booking]').innerText()).toContain('2030-01-07-09:30');
    await tab(page, 'Inbox');
    const event = page.getByRole('article', { name: 'event message.interactive.nfm_reply' }).first();
    await expect.poll(() => event.getAttribute('data-state')).toBe('done');
    const job = page.locator('.items ul').getByRole('article', { name: 'job invoice' }).first();
    await expect.poll(() => job.getAttribute('data-state'), { timeout: 10_000 }).toBe('done');
    expect(graph.messages.map(({ body }) => body['type'])).toContain('document');
    expect(await accessibilityFaults(page)).toEqual([]);
    expect(complaints).toEqual([]);
  });

  test('has a switch for each thing that goes wrong, and the real server goes wrong with it', async () => {
    await using open = await opened();
    const { page, complaints } = open;
    const phone = phoneOf(page);
    const pick = async (field: RegExp, choice: string) => {
      await phone.getByRole('button', { name: field }).click();
      await phone.getByRole('option', { name: choice }).click();
    };
    const toggle = async (name: string) => {
      await tab(page, 'Switches');
      await page.getByRole('switch', { name }).click();
      await tab(page, 'Requests');
    };
    const choose = async (name: string, value: string) => {
      await tab(page, 'Switches');
      await page.getByLabel(name).selectOption(value);
      await tab(page, 'Requests');
    };

    await toggle('Rotated key');
    await openBooking(page);
    await lastRow(page).toContain('421 → 200');

    await toggle('Endpoint down');
    await pick(/What for/, 'Eye test');
    await phone.getByText('Something went wrong').waitFor();
    await lastRow(page).toContain('down');
    await toggle('Endpoint down');
    await phone.getByRole('button', { name: 'Retry' }).click();
    await expect.poll(() => phone.getByRole('button', { name: /Where/ }).isEnabled()).toBe(true);

    await choose('Data API', '3.0');
    await pick(/Where/, 'North Street 12');
    await expect.poll(() => page.getByLabel('Decrypted request').innerText()).toContain('3.0');
    await lastRow(page).toContain('200');

    await choose('Slow network', '500');
    await pick(/Which day/, 'Mon 7 Jan');
    const label = () => timeline(page).last().locator('.bar').getAttribute('aria-label');
    await expect.poll(label).toContain('slow network 500 ms');
    await lastRow(page).toContain('200');
    await choose('Slow network', '0');

    await phone.getByRole('button', { name: 'Close the Flow' }).click();
    await tab(page, 'Switches');
    await page.getByLabel(/Dead: looks/).check();
    await page.getByRole('button', { name: 'Send the Flow’s message' }).click();
    await page.getByRole('button', { name: 'Open booking' }).last().click();
    await phone.getByText('This form is no longer available.').waitFor();
    await phone.getByRole('button', { name: 'Back to the chat' }).click();
    expect(await page.getByRole('button', { name: 'Open booking' }).last().isDisabled()).toBe(true);
    await tab(page, 'Requests');
    await lastRow(page).toContain('427');
    expect(complaints).toEqual([]);
  });

  test('delivers messages and alerts by hand', async () => {
    await using open = await opened();
    const { page } = open;
    const phone = phoneOf(page);
    graph.failNext(1, { status: 400 });
    await phone.getByLabel('Message').fill('Hello <b>there</b>');
    await phone.getByRole('button', { name: 'Send', exact: true }).click();
    await phone.getByText('Delivered to the webhook').waitFor();
    await tab(page, 'Inbox');
    const text = page.getByRole('article', { name: 'event message.text' }).first();
    await expect.poll(() => text.getAttribute('data-state'), { timeout: 10_000 }).toBe('done');
    expect(await text.innerText()).toContain('2 attempts');
    expect(graph.messages.map(({ body }) => body['type'])).toContain('interactive');
    await page.getByRole('button', { name: 'Send as active' }).click();
    const alert = page.getByRole('article', { name: /^event flow\./ }).first();
    await expect.poll(() => alert.getAttribute('data-state')).toBe('done');
  });
});

describe.skipIf(chromiumPath === undefined)('the playground of an app with mistakes', () => {
  const complete = { name: 'complete', payload: {} };
  const children = [
    { type: 'TextBody', text: 'A text' },
    { type: 'Footer', label: 'Done', 'on-click-action': complete },
  ];
  const screen = {
    id: 'A',
    title: 'A',
    terminal: true,
    data: { hint: { type: 'string', __example__: 'x' } },
    layout: { type: 'SingleColumnLayout', children },
  };
  const json = { version: '7.3', data_api_version: '4.0', routing_model: { A: [] }, screens: [screen] };
  const MARKUP = '<img src=x onerror=alert(1)>';

  test('tells what was thrown, what was refused and what was given up, as text', async () => {
    const app = createApp();
    let isBroken = true;
    app.flow('refused', { json }).init((c) => c.screen('A', { hint: 7 as never }));
    app.flow('thrown', { json }).init(() => {
      throw new Error(`${MARKUP} no database`);
    });
    const job = app.job('note', { attempts: 1 }, () => {
      if (isBroken) throw new Error(`${MARKUP} no paper`);
    });
    app.on('message.text', (_, c) => c.defer(job, {}));
    await using playground = await TestPlayground.start(app);
    const browser = await launchBrowser();
    try {
      await using open = await openPage(browser, `${playground.service.adminUrl}/playground`);
      const { page, complaints } = open;
      await page.getByRole('button', { name: 'Open refused' }).click();
      const guard = page.getByRole('region', { name: 'Guard violations' });
      await expect.poll(() => guard.innerText()).toContain('A.hint');
      await page.getByLabel('Flow', { exact: true }).selectOption('thrown');
      await page.getByRole('button', { name: 'Open thrown' }).click();
      await page.getByText(`${MARKUP} no database`, { exact: true }).waitFor();
      await phoneOf(page).getByRole('button', { name: 'Close the Flow' }).click();
      await phoneOf(page).getByLabel('Message').fill(MARKUP);
      await phoneOf(page).getByRole('button', { name: 'Send', exact: true }).click();
      await page.getByRole('tab', { name: 'Inbox' }).click();
      const note = page.getByRole('article', { name: 'job note' });
      await expect.poll(() => note.getAttribute('data-state'), { timeout: 10_000 }).toBe('dead');
      expect(await note.innerText()).toContain(`${MARKUP} no paper`);
      expect(await accessibilityFaults(page)).toEqual([]);
      isBroken = false;
      await note.getByRole('button', { name: 'Replay' }).click();
      await expect.poll(() => note.getAttribute('data-state'), { timeout: 10_000 }).toBe('done');
      expect(complaints).toEqual([]);
    } finally {
      await browser.close();
    }
  });
});
