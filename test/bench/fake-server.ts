/** A server for the generators to fail on: it opens each request and answers what the test says. */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { makeCredentials, parsePrivateKey } from '../../bench/support/credentials.ts';
import { openPayload, sealReply, unwrapAesKey } from '../../src/crypto/flow-cipher.ts';

/** One for each test file. */
export const credentials = makeCredentials();
const privateKeys = [parsePrivateKey(credentials)];

export interface Booking {
  /** Counted from 1. */
  readonly number: number;
  /** Wire body. */
  readonly body: string;
  readonly signature: string | undefined;
  readonly payload: { readonly screen?: string };
  /** An answer as the client can open it. */
  seal(screen: string): string;
}

export interface FakeReply {
  readonly status: number;
  readonly body?: string;
  readonly close?: true;
}

export interface FakeServer extends AsyncDisposable {
  readonly port: number;
  /** Connections that are open. */
  readonly connections: () => Promise<number>;
  readonly bookings: readonly Booking[];
  /** As a child of a bench tells it. */
  measure(): Promise<{ cpuMicros: number; loopDelayP99Ms: number; rssBytes: number }>;
}

export type Behaviour = (booking: Booking) => FakeReply | 'hang up' | Promise<FakeReply>;

export const answerRightly: Behaviour = ({ seal }) => ({ status: 200, body: seal('APPOINTMENT') });

export async function startFakeServer(behave: Behaviour): Promise<FakeServer> {
  const bookings: Booking[] = [];
  const server = createServer(async (request, response) => {
    const booking = await openBooking(request, bookings.length + 1);
    bookings.push(booking);
    const reply = await behave(booking);
    if (reply === 'hang up') {
      request.socket.destroy();
      return;
    }
    const { status, body = '', close = false } = reply;
    response.writeHead(status, { 'Content-Length': body.length, ...(close && { Connection: 'close' }) }).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    bookings,
    connections: () => new Promise((resolve) => server.getConnections((_, count) => resolve(count))),
    measure: async () => ({ cpuMicros: 1_000, loopDelayP99Ms: 1, rssBytes: 1_000_000 }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function openBooking(request: IncomingMessage, number: number): Promise<Booking> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks).toString();
  const envelope = JSON.parse(body) as Record<string, string>;
  const bytes = (field: string) => Buffer.from(envelope[field] ?? '', 'base64');
  const aesKey = unwrapAesKey(bytes('encrypted_aes_key'), privateKeys);
  const requestIv = bytes('initial_vector');
  const plaintext = aesKey && openPayload(bytes('encrypted_flow_data'), requestIv, aesKey);
  if (!plaintext) throw new Error('a request of the generator does not open');
  return {
    number,
    body,
    signature: request.headersDistinct['x-hub-signature-256']?.[0],
    payload: JSON.parse(plaintext.toString()) as { screen?: string },
    seal: (screen) => sealReply(JSON.stringify({ screen, data: {} }), { aesKey, requestIv }),
  };
}
