/** The page in a browser, with a server that answers by a script. */
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import type { JsonObject } from '../../../src/json.ts';
import type { FlowReport } from '../../../src/playground/api.ts';
import { launchBrowser, openPage, phoneOf } from './browser.ts';
import { type FakeEndpoint, type FakeServer, startFakeServer } from './fake-server.ts';

export interface Played extends AsyncDisposable {
  readonly page: Page;
  readonly phone: Locator;
  readonly server: FakeServer;
  readonly complaints: string[];
}

let browser: Promise<Browser> | undefined;

export async function play(
  flows: readonly FlowReport[],
  endpoint: FakeEndpoint,
  options: BrowserContextOptions = {},
): Promise<Played> {
  browser ??= launchBrowser();
  const server = await startFakeServer(flows, endpoint);
  const opened = await openPage(await browser, `${server.url}/playground/`, options);
  const close = async () => {
    await opened[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  };
  return { ...opened, server, phone: phoneOf(opened.page), [Symbol.asyncDispose]: close };
}

/** After the last test of a file. */
export async function closeBrowser(): Promise<void> {
  await (await browser)?.close();
}

export function oneScreen(children: JsonObject[], data: JsonObject = {}): FlowReport {
  const screens = [{ id: 'ONE', title: 'One', data, layout: { children } }];
  const json = { version: '7.3', data_api_version: '4.0', screens } as never;
  return { name: 'one', json, problems: [], hasCompleted: false };
}

export async function openBooking(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Open booking' }).click();
  await phoneOf(page).getByRole('heading', { name: 'Appointment' }).waitFor();
}

/** On the first screen of the booking Flow: every choice is sent, and brings those of the next. */
export async function pickSlot(page: Page, time = '09:30'): Promise<void> {
  const choices = [
    [/What for/, 'Eye test'],
    [/Where/, 'North Street 12'],
    [/Which day/, 'Mon 7 Jan'],
    [/What time/, time],
  ] as const;
  for (const [field, choice] of choices) {
    await phoneOf(page).getByRole('button', { name: field }).click();
    await phoneOf(page).getByRole('option', { name: choice }).click();
  }
}
