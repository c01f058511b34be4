/** What a user sees of an answer that does not fit the Flow JSON, and who is told: of real processes, over HTTP. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createPhone, type Phone } from '../../src/testing/index.ts';
import { RunningCommand } from '../support/command.ts';
import { keyPair } from '../support/keys.ts';
import { APP_SECRET, VERIFY_TOKEN } from '../support/service.ts';

const settings = {
  HOST: '127.0.0.1',
  PORT: '0',
  ADMIN_PORT: '0',
  WORKERS: '1',
  APP_SECRET,
  VERIFY_TOKEN,
  PRIVATE_KEY: keyPair.privateKey,
};

/** Serves the app by a command until the tests of this block are done. */
function serveBy(name: 'serve' | 'dev') {
  const site = { url: '', adminUrl: '' };
  let command: RunningCommand;
  beforeAll(async () => {
    command = new RunningCommand([name, 'test/service/apps/guarded.mjs'], settings);
    const [, port, adminPort] = await command.printed(/"port":(\d+),"adminPort":(\d+).*flowgate is listening/);
    site.url = `http://127.0.0.1:${port}`;
    site.adminUrl = `http://127.0.0.1:${adminPort}`;
  });
  afterAll(async () => {
    command.process.kill('SIGTERM');
    await command.ended;
  });
  return {
    phone: (): Phone => createPhone({ url: site.url, publicKey: keyPair.publicKey, appSecret: APP_SECRET }),
    metrics: async () => (await fetch(`${site.adminUrl}/metrics`)).text(),
    /** Resolves with the line of the log that tells of this violation. */
    told: async (flow: string, violation: RegExp) => {
      const line = new RegExp(`"code":"REPLY_INVALID","flow":"${flow}".*${violation.source}`);
      await command.printed(line);
    },
  };
}

describe('flowgate serve', () => {
  const { phone, told, metrics } = serveBy('serve');

  test('sends what does not fit, with a line and a metric; a strict Flow answers by its fallback', async () => {
    expect(await phone().open('silent')).toMatchObject({ screen: 'STARS', data: { stars: 'four' } });
    expect(await phone().open('reported')).toMatchObject({ screen: 'STARS', data: { stars: 'four' } });
    await told('reported', /"screen":"STARS","key":"stars","rule":"type".*must be a number, is a string/);
    expect(await phone().open('refused')).toMatchObject({ screen: 'STARS', data: { stars: 0 } });
    await told('refused', /STARS, stars: must be a number, is a string \(type\)/);
    const text = await metrics();
    for (const flow of ['reported', 'refused']) {
      expect(text).toContain(`flowgate_reply_violations_total{flow="${flow}",screen="STARS",rule="type"} 1`);
    }
    expect(text).not.toContain('flowgate_reply_violations_total{flow="silent"');
  });

  test('knows which screen a user comes from', async () => {
    const reported = phone();
    await reported.open('reported');
    expect(await reported.submit()).toMatchObject({ screen: 'THANKS' });
    await told('reported', /"rule":"route".*from STARS an answer may show/);
    const refused = phone();
    await refused.open('refused');
    expect(await refused.submit()).toMatchObject({ screen: 'STARS', data: { stars: 0 } });
  });
});

describe('flowgate dev', () => {
  const { phone, told } = serveBy('dev');

  test('makes it an error that says what is wrong, whatever the Flow says but off', async () => {
    for (const flow of ['reported', 'refused']) {
      await expect(phone().open(flow)).rejects.toThrow('the server answered 500');
      await told(flow, /STARS, stars: must be a number, is a string \(type\)/);
    }
    expect(await phone().open('silent')).toMatchObject({ screen: 'STARS', data: { stars: 'four' } });
  });
});
