/** The certificate in the settings, and what the public URL presents: each as Meta's servers look at it. */
import { formatDuration } from '../cli/format-inbox.ts';
import { FlowgateError } from '../errors.ts';
import { loadCertificate } from '../http/certificate.ts';
import { type Check, type Finding, failed, ok, skipped } from './check.ts';
import { whyNoAnswer } from './send.ts';
import type { Presented, PresentedCertificate } from './tls-handshake.ts';

/** Even what lives for six days is renewed before this. */
const RENEW_BEFORE_MS = 48 * 3_600_000;
const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/;

export const certificateFileCheck: Check = {
  name: 'certificate file',
  run({ settings: { tls }, clock }) {
    if (!tls) return skipped('TLS_CERT_FILE and TLS_KEY_FILE are not set: a proxy does TLS');
    const nowMs = clock.epochMs();
    try {
      const { subject, issuer, expiresAtEpochMs } = loadCertificate(tls.certFile, tls.keyFile, nowMs);
      return validity(`${subject}, by ${issuer}, whole chain`, expiresAtEpochMs - nowMs);
    } catch (error) {
      if (error instanceof FlowgateError) return failed(error.message);
      throw error;
    }
  },
};

export const publicCertificateCheck: Check = {
  name: 'public certificate',
  async run({ url: base, handshake, clock, signal }) {
    if (base === undefined) return skipped('give --url, the address that Meta has');
    const url = new URL(base);
    if (url.protocol !== 'https:') {
      if (LOOPBACK.test(url.hostname)) return skipped('give the public --url, with https: this one is of this machine');
      return failed('--url begins with http:, and Meta calls https only: put TLS in front, or set TLS_CERT_FILE');
    }
    try {
      return judge(await handshake(url, signal), url, clock.epochMs());
    } catch (error) {
      return failed(whyNoAnswer(error, base, signal));
    }
  },
};

function judge({ refusal, protocol, chain }: Presented, url: URL, nowMs: number): Finding {
  const [leaf] = chain;
  if (!leaf) return failed(`${url.host} presents no certificate: give it one that is publicly trusted`);
  if (refusal !== undefined) return failed(whyRefused(refusal, chain, leaf, url, nowMs));
  const sent = chain.filter(({ isSelfSigned }) => !isSelfSigned); // nobody looks at the dates of a root
  const first = sent.findIndex(({ isSent }) => !isSent);
  if (first > 0) return failed(whyIncomplete(sent[first - 1] ?? leaf, url));
  const leftMs = Math.min(...sent.map(({ expiresAtEpochMs }) => expiresAtEpochMs)) - nowMs;
  const version = protocol.replace('TLSv', 'TLS ');
  return validity(`${sent.map(({ subject }) => subject).join(', by ')}, whole chain, ${version}`, leftMs);
}

function validity(what: string, leftMs: number): Finding {
  const left = formatDuration(leftMs);
  if (leftMs < RENEW_BEFORE_MS) return failed(`${what}, but expires in ${left}: renew it now, and see why nothing did`);
  return ok(`${what}, ${left} left`);
}

function whyRefused(
  refusal: string,
  chain: readonly PresentedCertificate[],
  leaf: PresentedCertificate,
  url: URL,
  nowMs: number,
): string {
  const last = chain.at(-1) ?? leaf;
  switch (refusal) {
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
      return whyIncomplete(last, url);
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
      return `the certificate of ${leaf.subject} is self-signed, and Meta refuses those: take one of a public authority, for example Let's Encrypt`;
    case 'SELF_SIGNED_CERT_IN_CHAIN':
      return `the chain ends at ${last.subject}, a root that is not publicly trusted: take a certificate of a public authority, for example Let's Encrypt`;
    case 'CERT_HAS_EXPIRED': {
      const expired = chain.find(({ expiresAtEpochMs }) => expiresAtEpochMs <= nowMs) ?? leaf;
      return `the certificate of ${expired.subject} expired on ${dateOf(expired.expiresAtEpochMs)}: renew it, and reload the proxy`;
    }
    case 'CERT_NOT_YET_VALID':
      return `the certificate of ${leaf.subject} is not valid yet: mend the clock of this machine, or wait`;
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `the certificate is for ${leaf.names.join(', ') || leaf.subject}, not for ${url.hostname}: issue it for that name, or mend --url`;
    default:
      return `the certificate of ${leaf.subject} is refused (${refusal}): replace it`;
  }
}

function whyIncomplete({ subject, issuer }: PresentedCertificate, { host }: URL): string {
  return `${host} does not send the intermediate certificate of ${issuer}, which signed that of ${subject}: append it to the chain it serves (fullchain.pem, not cert.pem); if ${issuer} is a root of your own, Meta refuses it`;
}

function dateOf(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(0, 10);
}
