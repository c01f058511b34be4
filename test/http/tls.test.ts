/** What TLS adds to the promises of an HttpServer: the right chain, nothing in clear, and renewal that no client notices. */
import { once } from 'node:events';
import { unlinkSync, writeFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import type { Certificate } from '../../src/http/certificate.ts';
import { createHttpServer } from '../../src/http/create-server.ts';
import type { HttpReply, HttpServerName } from '../../src/http/server.ts';
import { TestAuthority } from '../support/certificates.ts';
import { eventually } from '../support/eventually.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { httpServers } from '../support/http-servers.ts';
import { silentLog } from '../support/log.ts';
import { RawClient, requestText, Tally, within } from '../support/raw-http.ts';

const authority = new TestAuthority();
const [first, second, third] = [
  authority.certificate('one'),
  authority.certificate('two'),
  authority.certificate('three'),
];
const TLS = { ca: authority.ca };
const GET = requestText('GET /');

async function serve(
  name: HttpServerName,
  {
    tls = first,
    clock = systemClock,
    port = 0,
    handler = (): Promise<HttpReply> | HttpReply => ({ status: 200, body: 'ok' }),
  } = {},
) {
  const server = createHttpServer(name, { handler, exchangeTimeoutMs: 5_000, clock, log: silentLog, tls });
  const boundPort = await server.listen({ host: '127.0.0.1', port });
  return {
    server,
    port: boundPort,
    connect: () => RawClient.connect(boundPort, TLS),
    [Symbol.asyncDispose]: () => server.close(0),
  };
}

async function expectAnswer(client: RawClient): Promise<void> {
  client.send(GET);
  expect(await client.response()).toMatchObject({ status: 200, body: 'ok' });
}

/** The name in the certificate that a new connection gets. */
async function nameServed(server: { connect(): Promise<RawClient> }): Promise<string> {
  using client = await server.connect();
  await expectAnswer(client);
  return client.serverName;
}

/** A renewal has this long to reach new connections; by then it has reached all of them. */
async function expectServed(server: { connect(): Promise<RawClient> }, name: string): Promise<void> {
  await eventually(async () => {
    for (let i = 0; i < 10; i += 1) expect(await nameServed(server)).toBe(name);
  });
}

async function handshake(port: number, options: object = {}): Promise<TLSSocket> {
  const socket = connectTls({ port, host: '127.0.0.1', servername: 'localhost', ...TLS, ...options });
  await within(once(socket, 'secureConnect'), 'the TLS handshake');
  return socket;
}

/** What a client gets that sends this and no TLS, once the server has had enough of it. */
async function answerInClear(port: number, text: string): Promise<string> {
  using client = await RawClient.connect(port);
  client.send(text);
  return await client.closed();
}

describe.each(httpServers)('TLS on %s', (name) => {
  test('sends the intermediate along, as Meta needs', async () => {
    await using server = await serve(name);
    const socket = await handshake(server.port);
    const leaf = socket.getPeerCertificate(true);
    socket.destroy();
    expect([leaf.subject.CN, leaf.issuerCertificate.subject.CN]).toEqual(['one', 'Test Intermediate']);
  });

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('speaks %s, and nothing older', async (version) => {
    await using server = await serve(name);
    const socket = await handshake(server.port, { maxVersion: version });
    expect(socket.getProtocol()).toBe(version);
    socket.destroy();
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' };
    await expect(handshake(server.port, old)).rejects.toMatchObject({ code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' });
  });

  test.each([
    ['plain HTTP', GET],
    ['half a handshake, then plain HTTP', `\x16\x03\x01\x00\x05${GET}`],
    ['anything', 'hello\r\n\r\n'],
  ])('closes on a client that speaks %s, without a word in clear, and goes on', async (_, text) => {
    await using server = await serve(name);
    expect(await answerInClear(server.port, text)).not.toMatch(/HTTP|html|ok/i);
    expect(await nameServed(server)).toBe('one');
  });

  test('close() cuts off a handshake that has not come to an end, after the grace', async () => {
    const clock = new FakeClock();
    await using server = await serve(name, { clock });
    const socket = connectTcp(server.port, '127.0.0.1').on('error', () => {});
    await within(once(socket, 'connect'), 'the connection');
    socket.write('\x16\x03\x01');
    await nameServed(server); // by now the server has accepted the other one too
    const [closing, closed] = [server.server.close(3_000), once(socket, 'close')];
    await new Promise(setImmediate);
    clock.advance(3_000);
    await within(Promise.all([closing, closed]), 'the end of the server');
  });

  test('refuses a certificate whose files are gone or do not fit together by now', () => {
    const gone = authority.certificate('gone');
    unlinkSync(gone.keyFile);
    const mixed: Certificate = { ...first, keyFile: second.keyFile };
    for (const tls of [gone, mixed]) {
      const options = {
        handler: () => ({ status: 200 }),
        exchangeTimeoutMs: 5_000,
        clock: systemClock,
        log: silentLog,
        tls,
      };
      expect(() => createHttpServer(name, options)).toThrow(/cannot serve TLS_CERT_FILE with TLS_KEY_FILE/);
    }
  });

  describe('renewal', () => {
    test('gives new connections the new certificate, and lets those that are open go on with theirs', async () => {
      await using server = await serve(name);
      using before = await server.connect();
      await expectAnswer(before);
      server.server.renewCertificate(second);
      await expectServed(server, 'two');
      using between = await server.connect();
      server.server.renewCertificate(third);
      await expectServed(server, 'three');
      for (const [client, its] of [
        [before, 'one'],
        [between, 'two'],
      ] as const) {
        await expectAnswer(client);
        expect(client.serverName).toBe(its);
      }
    });

    test('fails no request under load', async () => {
      await using server = await serve(name);
      const answered = new Tally();
      let resets = 0;
      let isOver = false;
      const ask = async (client: RawClient) => {
        await expectAnswer(client);
        answered.add();
      };
      const stay = async () => {
        using client = await server.connect();
        while (!isOver) await ask(client);
      };
      const comeAndGo = async () => {
        while (!isOver) {
          using client = await server.connect().catch(() => {
            resets += 1;
            return server.connect();
          });
          await ask(client);
        }
      };
      const load = Promise.all([stay(), stay(), stay(), stay(), comeAndGo(), comeAndGo()]);
      for (const [certificate, its] of [
        [second, 'two'],
        [third, 'three'],
        [first, 'one'],
      ] as const) {
        await within(Promise.race([answered.reached(answered.count + 100), load]), 'the load');
        server.server.renewCertificate(certificate);
        await expectServed(server, its);
      }
      isOver = true;
      await load;
      // A listener of uWebSockets.js that closes may reset a connection it has not accepted yet; node:https has but one.
      expect(resets).toBeLessThanOrEqual(name === 'uws' ? 6 : 0);
    });

    test('with what cannot be served throws, and changes nothing', async () => {
      await using server = await serve(name);
      const broken = authority.certificate('broken');
      writeFileSync(broken.keyFile, 'no key');
      expect(() => server.server.renewCertificate(broken)).toThrow(/cannot serve TLS_CERT_FILE with TLS_KEY_FILE/);
      expect(await nameServed(server)).toBe('one');
    });

    test('leaves the port to this server alone', async () => {
      await using server = await serve(name);
      server.server.renewCertificate(second);
      await expect(serve(name, { port: server.port })).rejects.toMatchObject({ code: 'LISTEN_FAILED' });
      await expectServed(server, 'two');
      await expect(serve(name, { port: server.port })).rejects.toMatchObject({ code: 'LISTEN_FAILED' });
    });

    test('and close() at once: what is in flight on any certificate is answered, and nothing is left open', async () => {
      const entered = new Tally();
      const leave = new Tally();
      const handler = async () => {
        entered.add();
        await leave.reached(1);
        return { status: 200, body: 'ok' };
      };
      await using server = await serve(name, { handler });
      using before = await server.connect();
      server.server.renewCertificate(second);
      using after = await server.connect();
      for (const client of [before, after]) client.send(GET);
      await entered.reached(2);
      server.server.renewCertificate(third);
      const closing = server.server.close(3_000);
      await expect(RawClient.connect(server.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
      leave.add();
      for (const client of [before, after]) {
        expect(await client.response()).toMatchObject({ status: 200, body: 'ok' });
        expect(await client.closed()).toBe('');
      }
      await within(closing, 'the end of the server');
    });

    test('before listen() counts, too', async () => {
      const server = createHttpServer(name, {
        handler: () => ({ status: 200, body: 'ok' }),
        exchangeTimeoutMs: 5_000,
        clock: systemClock,
        log: silentLog,
        tls: first,
      });
      server.renewCertificate(second);
      const port = await server.listen({ host: '127.0.0.1', port: 0 });
      expect(await nameServed({ connect: () => RawClient.connect(port, TLS) })).toBe('two');
      await server.close(0);
    });
  });
});
