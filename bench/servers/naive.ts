/**
 * The baseline: a Flow endpoint as one starts out with it, in the structure of Meta's sample for Node.
 *
 * Express parses the body and keeps its raw bytes for the signature; every request parses the encrypted private key
 * again and unwraps the AES key on the event loop. The samples' logging of each request and answer is left out, in
 * the baseline's favour. For the request of the benches it answers what the booking example answers.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createPrivateKey,
  privateDecrypt,
  timingSafeEqual,
} from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express, { type Request } from 'express';
import { datesFor, departments, locationsFor, type Picks, timesFor } from '../../examples/booking/calendar.ts';
import { OAEP } from '../support/credentials.ts';
import { serveBench } from './child-side.ts';

const { APP_SECRET = '', PRIVATE_KEY = '', PASSPHRASE = '' } = process.env;
const TAG_BYTES = 16;

interface Envelope {
  readonly encrypted_flow_data: string;
  readonly encrypted_aes_key: string;
  readonly initial_vector: string;
}

interface FlowRequest {
  readonly screen: string;
  readonly data: Picks;
}

type RawRequest = Request & { rawBody?: string };

const app = express();

app.use(
  express.json({
    verify(request: RawRequest, _response, bytes) {
      request.rawBody = bytes.toString();
    },
  }),
);

app.post('/flows/booking', (request: RawRequest, response) => {
  if (!isSigned(request)) {
    response.status(432).send();
    return;
  }
  let opened: ReturnType<typeof decryptRequest>;
  try {
    opened = decryptRequest(request.body as Envelope);
  } catch {
    response.status(421).send();
    return;
  }
  response.send(encryptReply(nextScreen(opened.flowRequest), opened.aesKey, opened.iv));
});

function isSigned(request: RawRequest): boolean {
  const claimed = Buffer.from(request.get('x-hub-signature-256')?.replace('sha256=', '') ?? '', 'hex');
  const digest = createHmac('sha256', APP_SECRET)
    .update(request.rawBody ?? '')
    .digest();
  return claimed.byteLength === digest.byteLength && timingSafeEqual(claimed, digest);
}

function decryptRequest({ encrypted_flow_data, encrypted_aes_key, initial_vector }: Envelope) {
  const privateKey = createPrivateKey({ key: PRIVATE_KEY, passphrase: PASSPHRASE });
  const aesKey = privateDecrypt({ key: privateKey, ...OAEP }, Buffer.from(encrypted_aes_key, 'base64'));
  const sealed = Buffer.from(encrypted_flow_data, 'base64');
  const iv = Buffer.from(initial_vector, 'base64');
  const decipher = createDecipheriv('aes-128-gcm', aesKey, iv);
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  const text = Buffer.concat([decipher.update(sealed.subarray(0, -TAG_BYTES)), decipher.final()]).toString('utf8');
  return { flowRequest: JSON.parse(text) as FlowRequest, aesKey, iv };
}

function encryptReply(reply: object, aesKey: Buffer, iv: Buffer): string {
  const flipped = Buffer.from(iv.map((byte) => ~byte));
  const cipher = createCipheriv('aes-128-gcm', aesKey, flipped);
  const sealed = Buffer.concat([cipher.update(JSON.stringify(reply), 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return sealed.toString('base64');
}

function nextScreen({ screen, data }: FlowRequest): object {
  const locations = locationsFor(data.department);
  const dates = datesFor(data);
  const times = timesFor(data);
  const can = {
    can_pick_location: locations.length > 0,
    can_pick_date: dates.length > 0,
    can_pick_time: times.length > 0,
  };
  return { screen, data: { departments, locations, dates, times, ...can } };
}

await serveBench(async () => {
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, description: 'Express 5' };
});
