/** What Meta holds of us, and what time it is there. */
import { createPublicKey } from 'node:crypto';
import { fingerprintOf, type KeyRing } from '../crypto/keyring.ts';
import { DEFAULT_GRAPH_URL } from '../graph/call.ts';
import { GraphError } from '../graph/graph-error.ts';
import { createGraphKeys, type PublishedKey } from '../graph/keys.ts';
import { type Check, type DoctorContext, type Finding, failed, ok, seconds, skipped } from './check.ts';
import { whyNoAnswer } from './send.ts';

const MAX_SKEW_MS = 30_000;
/** A `Date` header tells whole seconds, rounded down. */
const HALF_SECOND_MS = 500;
/** Less may be due to that. */
const TOLD_FROM_MS = 2_000;
const UNKNOWN_OBJECT_SUBCODE = 33;

export const publicKeyCheck: Check = {
  name: 'public key at Meta',
  async run(context) {
    const { graph, keys } = context.settings;
    if (graph.token === undefined) return skipped('set GRAPH_TOKEN and PHONE_NUMBER_ID');
    if (graph.phoneNumberId === undefined) return skipped('set PHONE_NUMBER_ID');
    if (!keys) return skipped('needs a private key to compare with');
    try {
      return comparePublished(await readPublished(context), keys);
    } catch (error) {
      return failed(whyUnread(error, context.signal));
    }
  },
};

async function readPublished({ settings: { graph }, fetch, clock, signal }: DoctorContext) {
  const options = { ...graph, token: graph.token ?? '', phoneNumberId: graph.phoneNumberId ?? '' };
  return createGraphKeys({ ...options, fetch, clock }).readPublicKey(signal);
}

function comparePublished(published: PublishedKey | undefined, keys: KeyRing): Finding {
  const upload = 'flowgate keys upload';
  if (!published) return failed(`Meta has no key for this number: upload one with: ${upload}`);
  const fingerprint = readFingerprint(published.pem);
  if (fingerprint === undefined) {
    return failed(`the key that Meta has cannot be read: replace it with: ${upload}`);
  }
  const [newest] = keys;
  const ours = keys.find((key) => key.fingerprint === fingerprint);
  if (!ours) {
    return failed(
      `Meta has ${fingerprint}, which is none of the keys here, so phones are answered 421: upload ${newest.fingerprint} with: ${upload} (or is PHONE_NUMBER_ID another number?)`,
    );
  }
  if (published.status !== 'VALID') {
    return failed(`Meta has ${fingerprint} as ${published.status}, not VALID: sign it anew with: ${upload}`);
  }
  const note = ours === newest ? 'our newest' : `an older one of ours, the newest is ${newest.fingerprint}`;
  return ok(`VALID, ${fingerprint}, ${note}`);
}

function readFingerprint(pem: string): string | undefined {
  try {
    return fingerprintOf(createPublicKey(pem));
  } catch {
    return undefined;
  }
}

function whyUnread(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return `the Graph API did not answer within ${seconds()} s: try again`;
  if (error instanceof TypeError) {
    return `of GRAPH_TOKEN, PHONE_NUMBER_ID and GRAPH_BASE_URL one is wrong: ${error.message}`;
  }
  if (!(error instanceof GraphError)) throw error;
  return `${error.message}: ${remedyFor(error)}`;
}

function remedyFor({ status, subcode, isTransient }: GraphError): string {
  if (isTransient) return 'try again, and see metastatus.com';
  if (subcode === UNKNOWN_OBJECT_SUBCODE) return 'mend PHONE_NUMBER_ID, or give the token access to that number';
  if (status !== undefined && status >= 400 && status < 500) {
    return "give GRAPH_TOKEN a system user's token with whatsapp_business_messaging";
  }
  return 'is GRAPH_BASE_URL right?';
}

/** Nobody needs to be signed in to be told the time. */
export const clockCheck: Check = {
  name: 'clock',
  async run(context) {
    const sources = clocksIn(context);
    if (sources.length === 0) return skipped('give --url, or set GRAPH_TOKEN, to have a clock to compare with');
    const found = await Promise.all(sources.map((source) => compareClock(source, context)));
    const [first] = found.filter((finding) => typeof finding !== 'string');
    return first ?? skipped(`needs a clock to compare with: ${found.join('; ')}`);
  },
};

/** Meta's clock first: the public URL may be on this very machine. */
function clocksIn({ url, settings: { graph } }: DoctorContext): string[] {
  const ofMeta = graph.token !== undefined ? [graph.baseUrl ?? DEFAULT_GRAPH_URL] : [];
  const own = url === undefined ? [] : [`${url}/healthz`];
  return [...ofMeta, ...own].filter((source) => URL.canParse(source));
}

/** @returns why there is nothing to compare with, in a sentence. */
async function compareClock(url: string, { clock, send, signal }: DoctorContext): Promise<Finding | string> {
  const { host } = new URL(url);
  const askedAtMs = clock.epochMs();
  const answer = await send(url, { method: 'HEAD', signal }).catch((error: unknown) => whyNoAnswer(error, url, signal));
  if (typeof answer === 'string') return answer;
  const answeredAtMs = clock.epochMs();
  const { headers } = answer;
  const theirsMs = Date.parse(headers.date ?? '') + Number(headers.age ?? 0) * 1_000;
  if (Number.isNaN(theirsMs)) return `${host} tells no date`;
  const aheadMs = (askedAtMs + answeredAtMs) / 2 - (theirsMs + HALF_SECOND_MS);
  const offMs = Math.abs(aheadMs);
  if (offMs < TOLD_FROM_MS) return ok(`agrees with ${host}, as far as its Date header tells`);
  const difference = `${(offMs / 1_000).toFixed(0)} s ${aheadMs > 0 ? 'ahead of' : 'behind'} ${host}`;
  if (offMs - (answeredAtMs - askedAtMs) / 2 > MAX_SKEW_MS) {
    return failed(`this machine is ${difference}: let NTP set its clock (timedatectl set-ntp true)`);
  }
  return ok(`this machine is ${difference}`);
}
