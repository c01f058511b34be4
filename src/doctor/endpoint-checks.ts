/**
 * The whole way of a request, from the public URL to a sealed answer and back, as Meta takes it.
 *
 * What is sent has no effect: a ping is answered before any token or handler is asked, and a handshake changes nothing.
 */
import { createPublicKey, randomInt } from 'node:crypto';
import type { HeldKey, KeyRing } from '../crypto/keyring.ts';
import { type Envelope, type SealedRequest, sealRequest, sign } from '../testing/wire.ts';
import { type Check, type DoctorContext, type Finding, failed, ok, skipped } from './check.ts';
import { ODD_BODIES, oddBody } from './odd-bodies.ts';
import { type Answer, whyNoAnswer } from './send.ts';

const PING = { version: '3.0', action: 'ping' };
const JSON_TYPE = { 'Content-Type': 'application/json' };

/** One for each Flow; for the first of them also whether bodies arrive as they were sent. */
export function endpointChecks({ flowNames }: Pick<DoctorContext, 'flowNames'>): Check[] {
  const [first, ...others] = flowNames.map((flow) => new EndpointCheck(flow));
  if (!first) return [{ name: 'endpoint', run: (context) => skipped(missing(context)) }, handshakeCheck];
  return [first, ...others, new RawBodyCheck(first), handshakeCheck];
}

/** What it takes to send a ping. */
interface Sender {
  readonly flowUrl: string;
  readonly appSecret: string;
  readonly keys: KeyRing;
}

function senderFor(flow: string, { url, settings }: DoctorContext): Sender | undefined {
  const [appSecret] = settings.appSecrets;
  if (url === undefined || appSecret === undefined || !settings.keys) return undefined;
  return { flowUrl: `${url}/flows/${flow}`, appSecret, keys: settings.keys };
}

function missing({ url, settings, flowNames }: DoctorContext): string {
  const wanted = [
    url === undefined && 'give --url, the address that Meta has',
    flowNames.length === 0 && 'give the app, or a --url that ends in /flows/<name>',
    settings.appSecrets.length === 0 && 'set APP_SECRET',
    !settings.keys && 'needs a private key',
  ];
  return wanted.filter((want) => want !== false).join('; ');
}

/** A ping, encrypted with the public half of the newest key and signed with the newest secret. */
class EndpointCheck implements Check {
  readonly name: string;
  readonly #flow: string;
  #answered: Promise<boolean> | undefined;

  constructor(flow: string) {
    this.name = `endpoint ${flow}`;
    this.#flow = flow;
  }

  get flow(): string {
    return this.#flow;
  }

  async run(context: DoctorContext): Promise<Finding> {
    const sender = senderFor(this.#flow, context);
    if (!sender) {
      this.#answered = Promise.resolve(false);
      return skipped(missing(context));
    }
    const exchange = ping(sender, sender.keys[0], context);
    this.#answered = exchange.then(
      ({ isActive }) => isActive,
      () => false,
    );
    const startedMs = context.clock.nowMs();
    try {
      const reply = await exchange;
      if (!reply.isActive) return failed(await whyNotActive(reply.answer, sender, context));
      const tookMs = Math.round(context.clock.nowMs() - startedMs);
      return ok(`a ping, encrypted for ${sender.keys[0].fingerprint} and signed, is answered in ${tookMs} ms`);
    } catch (error) {
      return failed(whyNoAnswer(error, sender.flowUrl, context.signal));
    }
  }

  /** Resolves to whether the ping was answered; to be asked while the check runs, or after. */
  async isInOrder(): Promise<boolean> {
    return (await this.#answered) ?? false;
  }
}

interface PingReply {
  readonly answer: Answer;
  /** Answered as Meta wants. */
  readonly isActive: boolean;
}

async function ping(
  sender: Sender,
  { privateKey }: HeldKey,
  context: DoctorContext,
  toBody?: (envelope: Envelope) => string,
): Promise<PingReply> {
  const publicKeyPem = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }) as string;
  const sealed = await sealRequest(PING, { publicKeyPem, appSecret: sender.appSecret }, toBody);
  const answer = await post(sender.flowUrl, sealed, context);
  return { answer, isActive: answer.status === 200 && (await saysActive(sealed, answer.body)) };
}

function post(
  url: string,
  { body, signature }: Pick<SealedRequest, 'body' | 'signature'>,
  { send, signal }: DoctorContext,
): Promise<Answer> {
  return send(url, { method: 'POST', body, headers: { ...JSON_TYPE, 'X-Hub-Signature-256': signature }, signal });
}

async function saysActive(sealed: SealedRequest, body: string): Promise<boolean> {
  try {
    const reply = JSON.parse(await sealed.openReply(body)) as { data?: { status?: unknown } };
    return reply.data?.status === 'active';
  } catch {
    return false;
  }
}

async function whyNotActive(answer: Answer, sender: Sender, context: DoctorContext): Promise<string> {
  const { host } = new URL(sender.flowUrl);
  switch (answer.status) {
    case 200:
      return `200 without the sealed answer to the ping: something other than Flowgate answers at ${sender.flowUrl}, or changes answers`;
    case 400:
      return '400, the body is signed and no envelope any more: let the proxy pass it on without a change';
    case 404:
      return answer.body === ''
        ? `404, the server has no such Flow: is it the one of this app, and does the proxy keep the path ${new URL(sender.flowUrl).pathname}?`
        : `404 with a page that is not Flowgate's: let the proxy pass ${new URL(sender.flowUrl).pathname} on to it`;
    case 421:
      return whichKey(sender, context);
    case 432:
      return whySignatureFails(sender, context);
    default:
      return whyStatus(answer, host);
  }
}

function whyStatus({ status, headers, body }: Answer, host: string): string {
  if (status >= 300 && status < 400) {
    return `${status}, a redirect to ${placeOf(headers.location)}, and Meta follows none: give Meta the last address`;
  }
  switch (status) {
    case 401:
    case 403:
      return `${status}, refused before Flowgate: let the proxy or firewall at ${host} pass POST without a login or a challenge`;
    case 405:
      return `405: let the proxy at ${host} pass on POST`;
    case 413:
      return `413: let the proxy at ${host} pass on bodies of up to 1 MB`;
    case 503:
      if (body === '' && headers['retry-after'] !== undefined)
        return '503, the server is beyond its capacity: try again';
      return `503: the proxy at ${host} reaches no server: start it, or mend the proxy's upstream`;
    case 502:
    case 504:
      return `${status}: the proxy at ${host} reaches no server: start it, or mend the proxy's upstream`;
    default:
      return `answered ${status}: see the log of the server, and that of the proxy at ${host}`;
  }
}

/** Without its query, which may hold a secret. */
function placeOf(location = ''): string {
  const url = URL.canParse(location) ? new URL(location) : undefined;
  return url ? url.origin + url.pathname : (location.split('?')[0] ?? '') || 'nowhere';
}

/** 421: not the newest key, but perhaps an older one. */
async function whichKey(sender: Sender, context: DoctorContext): Promise<string> {
  const [newest, ...older] = sender.keys;
  const remedy = 'give it the same PRIVATE_KEY_FILE or KEYS_DIR';
  for (const key of older) {
    const { isActive } = await ping(sender, key, context);
    if (isActive) return `421, the server does not hold ${newest.fingerprint}, but ${key.fingerprint}: ${remedy}`;
  }
  const others = older.length === 0 ? '' : ', nor any other key of these settings';
  return `421, the server does not hold ${newest.fingerprint}${others}: ${remedy}`;
}

/**
 * 432: the secret, or the body? A list of one number looks the same whoever writes it anew, and is answered 400 where its
 * signature is right.
 */
async function whySignatureFails({ flowUrl, appSecret }: Sender, context: DoctorContext): Promise<string> {
  const body = `[${randomInt(1e6, 1e9)}]`;
  const { status } = await post(flowUrl, { body, signature: await sign(body, appSecret) }, context);
  if (status === 400) {
    return '432, the APP_SECRET is right, but the body is changed on its way: let the proxy pass it on as it is (no JSON parser, no rewriting)';
  }
  return '432, the server has another APP_SECRET than these settings, or the proxy drops X-Hub-Signature-256: give it the one of the Meta app connected to the Flow, and pass that header on';
}

/** The same ping in a body that nobody would write so, and that comes out otherwise wherever JSON or text is rewritten. */
class RawBodyCheck implements Check {
  readonly name = 'raw body';
  readonly #plain: EndpointCheck;

  constructor(plain: EndpointCheck) {
    this.#plain = plain;
  }

  async run(context: DoctorContext): Promise<Finding> {
    const sender = senderFor(this.#plain.flow, context);
    if (!sender) return skipped(missing(context));
    if (!(await this.#plain.isInOrder())) return skipped(`needs "${this.#plain.name}" to be in order`);
    try {
      return await sendOddBodies(sender, context);
    } catch (error) {
      return failed(whyNoAnswer(error, sender.flowUrl, context.signal));
    }
  }
}

async function sendOddBodies(sender: Sender, context: DoctorContext): Promise<Finding> {
  const all = Object.values(ODD_BODIES);
  const sent = (oddities: typeof all) =>
    ping(sender, sender.keys[0], context, (envelope) => oddBody(envelope, oddities));
  const { answer, isActive } = await sent(all);
  if (isActive) return ok('escapes, spaces, numbers and characters beyond ASCII arrive as they were sent');
  if (answer.status !== 432) {
    const status = answer.status === 200 ? 'another answer' : String(answer.status);
    return failed(
      `${status} for a ping with unusual JSON, though a plain one is answered: let the proxy or firewall pass it`,
    );
  }
  const changed: string[] = [];
  for (const [name, oddity] of Object.entries(ODD_BODIES)) {
    const { answer: alone } = await sent([oddity]);
    if (alone.status === 432) changed.push(name);
  }
  const what = changed.length === 0 ? 'unusual JSON' : changed.join(', ');
  return failed(
    `432 for unusual JSON alone, so it is rewritten on its way (${what}), and Meta's signatures will fail: let the proxy pass bodies on byte for byte (no JSON parser, no charset conversion)`,
  );
}

/** What Meta asks when a webhook is subscribed. */
const handshakeCheck: Check = {
  name: 'webhook handshake',
  async run(context) {
    const { url, settings, send, signal } = context;
    const { verifyToken } = settings;
    if (url === undefined) return skipped('give --url, the address that Meta has');
    if (verifyToken === undefined) return skipped('set VERIFY_TOKEN');
    const challenge = String(randomInt(1e8, 1e9));
    const query = { 'hub.mode': 'subscribe', 'hub.challenge': challenge, 'hub.verify_token': verifyToken };
    try {
      const answer = await send(`${url}/webhook?${new URLSearchParams(query)}`, { signal });
      if (answer.status === 200 && answer.body === challenge) return ok(`${url}/webhook echoes the challenge`);
      return failed(whyNoEcho(answer, challenge, new URL(url)));
    } catch (error) {
      return failed(whyNoAnswer(error, url, signal));
    }
  },
};

function whyNoEcho(answer: Answer, challenge: string, { host, pathname }: URL): string {
  const { status, body } = answer;
  if (status === 200 && body.includes(challenge))
    return '200 with more than the bare challenge: answer it as plain text';
  if (status === 200) return `200 without the challenge: let the proxy at ${host} pass on GET and its query`;
  if (status === 403 && body === '') {
    return '403, the server has another VERIFY_TOKEN than these settings, or the proxy drops the query: give both the same, and pass the query on';
  }
  if (status === 404) return `404: let the proxy at ${host} pass ${pathname.replace(/\/$/, '')}/webhook on to Flowgate`;
  return whyStatus(answer, host);
}
