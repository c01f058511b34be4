// biome-ignore-all lint/suspicious/noTemplateCurlyInString: so bindings of Flow JSON are written
import { afterAll, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/json.ts';
import type { FlowReport } from '../../../src/playground/api.ts';
import { answerBooking, bookingReport } from '../support/booking.ts';
import { chromiumPath } from '../support/chromium-available.ts';
import { closeBrowser, oneScreen, openBooking, pickSlot, play } from '../support/play.ts';

describe.skipIf(chromiumPath === undefined)('the phone', () => {
  afterAll(closeBrowser);

  test('plays the booking Flow to its end, and tells what went over the wire', async () => {
    await using opened = await play([bookingReport], answerBooking);
    const { page, phone, server, complaints } = opened;
    await openBooking(page);
    await pickSlot(page, '14:00');
    await phone.getByRole('button', { name: 'Continue' }).click();
    await phone.getByRole('alert').getByText('That time is taken').waitFor();
    await phone.getByRole('button', { name: /What time/ }).click();
    await phone.getByRole('option', { name: '09:30' }).click();
    await phone.getByRole('button', { name: 'Continue' }).click();
    await phone.getByRole('heading', { name: 'Your details' }).waitFor();
    await phone.getByRole('button', { name: 'Continue' }).click();
    expect(await phone.locator('.field-error').allTextContents()).toEqual([
      'Fill this in',
      'Fill this in',
      'Fill this in',
    ]);
    await phone.getByLabel('Name').fill('Ada Example');
    await phone.getByLabel('E-mail').fill('ada@example.org');
    await phone.getByLabel('Phone').fill('+15550100');
    await phone.getByRole('button', { name: 'Continue' }).click();
    await phone.getByLabel('I agree').check();
    await phone.getByRole('button', { name: 'Book', exact: true }).click();
    await phone.getByText('Done. Your answers are sent.').waitFor();
    await phone.getByRole('button', { name: 'Back to the chat' }).click();
    await phone.getByText('Delivered to the webhook').waitFor();
    expect(server.webhooks).toMatchObject([{ kind: 'completion', flow: 'booking', params: { reference: 'R1' } }]);
    await phone.getByText('What the person sees of it').click();
    expect(await phone.locator('.summary').innerText()).toContain('••••');
    const rows = page.getByRole('list', { name: 'Requests' }).getByRole('button');
    expect(await rows.count()).toBe(server.requests.length);
    expect(await page.locator('.bar').last().getAttribute('aria-label')).toBe(
      'queue 0.20 ms, RSA 1.10 ms, handler 5.20 ms, guard 0.10 ms, seal 0.20 ms, network 2.70 ms',
    );
    expect(complaints).toEqual([]);
  });

  test('shows a script in any text as text', async () => {
    const evil = '<script>document.title="hacked"</script><img src=x onerror="document.title=\'hacked\'">';
    const model = { text: { type: 'string' }, options: { type: 'array' }, list: { type: 'array' } };
    const report = oneScreen(
      [
        { type: 'TextBody', text: '${data.text}' },
        { type: 'RichText', text: `${evil}\n[a](javascript:alert(1))` },
        { type: 'RadioButtonsGroup', name: 'radio', label: '${data.text}', 'data-source': '${data.options}' },
        { type: 'Footer', label: 'Go', 'on-click-action': { name: 'data_exchange', payload: {} } },
      ].map((component) => JSON.parse(JSON.stringify(component))) as JsonObject[],
      model,
    );
    const short = '<b>x</b><script>1</script>';
    await using opened = await play([{ ...report, name: evil.slice(0, 60) }, report], () => ({
      payload: { screen: 'ONE', data: { text: short, options: [{ id: short, title: short }], error_message: evil } },
    }));
    const { page, phone, complaints } = opened;
    await page.getByRole('button', { name: /^Open/ }).click();
    await phone.getByRole('alert').getByText(evil).waitFor();
    expect(await phone.locator('.text-body').first().innerText()).toBe(short);
    await phone.getByRole('button', { name: 'a', exact: true }).click();
    await phone.getByText('javascript:alert(1').waitFor();
    expect(await page.title()).not.toContain('hacked');
    expect(await page.locator('script').count()).toBe(1);
    expect(complaints).toEqual([]);
  });

  test('takes an answer of 1 MB', async () => {
    const rows = Array.from({ length: 20_000 }, (_, index) => ({ id: String(index), title: `Row number ${index}` }));
    const report = oneScreen([{ type: 'TextBody', text: 'Still fine' }], {
      rows: { type: 'array' },
      long: { type: 'string' },
    });
    await using opened = await play([report], () => ({
      payload: { screen: 'ONE', data: { rows, long: 'x'.repeat(100_000) } },
    }));
    const { page, phone } = opened;
    await page.getByRole('button', { name: /^Open/ }).click();
    await phone.getByText('Still fine').waitFor();
    await page.getByRole('button', { name: /rows/ }).click();
    await page.getByRole('button', { name: '19900 more' }).click();
    await page.getByRole('button', { name: '19800 more' }).waitFor();
    await page.getByRole('button', { name: /more characters/ }).click();
  });

  test('takes a Flow of 500 screens', async () => {
    const name = (index: number) => `S${String(index).replaceAll(/\d/g, (digit) => 'ABCDEFGHIJ'[Number(digit)] ?? '')}`;
    const screens = Array.from({ length: 500 }, (_, index) => ({
      id: name(index),
      title: name(index),
      layout: {
        type: 'SingleColumnLayout',
        children: [
          { type: 'TextBody', text: `Screen ${index}` },
          {
            type: 'EmbeddedLink',
            text: 'On',
            'on-click-action': { name: 'navigate', next: { name: name(index + 1) }, payload: {} },
          },
        ],
      },
    }));
    const routes = Object.fromEntries(screens.map(({ id }, index) => [id, index < 499 ? [name(index + 1)] : []]));
    const json = { version: '7.3', data_api_version: '4.0', routing_model: routes, screens } as never;
    const report: FlowReport = { name: 'many', json, problems: [], hasCompleted: false };
    await using opened = await play([report], () => ({ payload: { screen: name(0), data: {} } }));
    const { page, phone } = opened;
    await page.getByRole('button', { name: 'Open many' }).click();
    for (let index = 0; index < 5; index++)
      await phone
        .getByText(`Screen ${index}`)
        .waitFor()
        .then(() => phone.getByRole('button', { name: 'On' }).click());
    await phone.getByText('Screen 5').waitFor();
  });

  test('encrypts picked files into the server’s CDN, and sends what became of them', async () => {
    const report = oneScreen([
      { type: 'DocumentPicker', name: 'papers', label: 'Papers', 'max-uploaded-documents': 2, 'max-file-size-kb': 1 },
      {
        type: 'Footer',
        label: 'Go',
        'on-click-action': { name: 'data_exchange', payload: { papers: '${form.papers}' } },
      },
    ]);
    await using opened = await play([report], () => ({ payload: { screen: 'ONE', data: {} } }));
    const { page, phone, server } = opened;
    await page.getByRole('button', { name: /^Open/ }).click();
    const file = (name: string, bytes: number) => ({
      name,
      mimeType: 'application/pdf',
      buffer: Buffer.alloc(bytes, name),
    });
    const input = phone.getByLabel('Add a document');
    await input.setInputFiles([file('large.pdf', 1025)]);
    await phone.getByText('large.pdf is larger than 1 kB.').waitFor();
    await input.setInputFiles([file('a.pdf', 10), file('b.pdf', 1024)]);
    await phone.getByText('b.pdf').waitFor();
    expect(await input.isDisabled()).toBe(true);
    await phone.getByRole('button', { name: 'Remove a.pdf' }).click();
    await phone.getByRole('button', { name: 'Go' }).click();
    await expect.poll(() => server.requests.length).toBe(2);
    expect(server.requests[1]?.['data']).toMatchObject({
      papers: [{ file_name: 'b.pdf', media_id: expect.any(String) }],
    });
  });

  test('says when the Flow JSON is of a version that it does not know', async () => {
    const report = oneScreen([{ type: 'TextBody', text: 'Still drawn' }]);
    const json = { ...report.json, version: '9.1' } as never;
    await using opened = await play([{ ...report, json }], () => ({ payload: { screen: 'ONE', data: {} } }));
    await opened.page.getByRole('button', { name: /^Open/ }).click();
    await opened.phone.getByText('Still drawn').waitFor();
    expect(await opened.phone.locator('[data-unknown=version]').innerText()).toContain('Flow JSON 9.1');
  });

  test('shows an unknown component as a labelled box', async () => {
    const report = oneScreen([
      { type: 'Hologram', name: 'h' },
      { type: 'TextBody', text: 'The rest' },
    ]);
    await using opened = await play([report], () => ({ payload: { screen: 'ONE', data: {} } }));
    await opened.page.getByRole('button', { name: /^Open/ }).click();
    expect(await opened.phone.locator('[data-unknown=Hologram]').innerText()).toContain('does not know this component');
    expect(await opened.phone.getByText('The rest').isVisible()).toBe(true);
  });

  test('shows a Flow of which no Flow JSON is known by its data alone', async () => {
    const report: FlowReport = { name: 'bare', problems: [], hasCompleted: false };
    await using opened = await play([report], ({ action }) => ({
      payload: { screen: action === 'INIT' ? 'FIRST' : 'SECOND', data: { said: 'hello' } },
    }));
    const { page, phone, server } = opened;
    await page.getByRole('button', { name: /^Open/ }).click();
    await phone.getByText('hello').waitFor();
    await phone.getByLabel('Payload').fill('{"a": 1}');
    await phone.getByRole('button', { name: 'Submit' }).click();
    await phone.getByRole('heading', { name: 'SECOND' }).waitFor();
    expect(server.requests.at(-1)).toMatchObject({ screen: 'FIRST', data: { a: 1 } });
  });
});
