/** What a TLS server presents to a client that, like Meta's, fetches no certificate by itself. */
import { isIP } from 'node:net';
import { connect, type DetailedPeerCertificate } from 'node:tls';

export interface Presented {
  /** `TLSv1.3`. */
  readonly protocol: string;
  /** Why a client does not trust it: OpenSSL's word or Node's; undefined when it does. */
  readonly refusal: string | undefined;
  /** From the leaf on, each issued by the next. Where it leads to a root that is trusted here, that is the last. */
  readonly chain: readonly PresentedCertificate[];
}

export interface PresentedCertificate {
  readonly subject: string;
  readonly issuer: string;
  /** The hosts it is for. */
  readonly names: readonly string[];
  readonly expiresAtEpochMs: number;
  readonly isSelfSigned: boolean;
  /** By the server; otherwise it is known here, and to Meta perhaps not. */
  readonly isSent: boolean;
}

/** Rejects with the error of the connection. */
export type Handshake = (url: URL, signal: AbortSignal) => Promise<Presented>;

/** @param ca PEM of the roots to trust in place of Node's own, for tests. */
export function createHandshake(ca?: string): Handshake {
  return async (url, signal) => {
    const [seen, sent] = await Promise.all([shakeHands(url, ca, signal), shakeHands(url, TRUST_NOTHING, signal)]);
    const fingerprints = new Set(sent.certificates.map(({ fingerprint256 }) => fingerprint256));
    const chain = seen.certificates.map((certificate) => toPresented(certificate, fingerprints));
    return { protocol: seen.protocol, refusal: seen.refusal, chain };
  };
}

/** Node completes a chain with what it trusts: where that is nothing, the chain is what was sent. */
const TRUST_NOTHING: readonly string[] = [];

interface Seen {
  readonly protocol: string;
  readonly refusal: string | undefined;
  readonly certificates: readonly DetailedPeerCertificate[];
}

function shakeHands(
  { hostname, port }: URL,
  ca: string | readonly string[] | undefined,
  signal: AbortSignal,
): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const host = hostname.replace(/^\[(.*)\]$/, '$1');
    const socket = connect({
      host,
      port: Number(port || 443),
      ...(isIP(host) === 0 && { servername: host }),
      ALPNProtocols: ['http/1.1'],
      rejectUnauthorized: false, // to see what is wrong; nothing is sent
      ...(ca !== undefined && { ca: [ca].flat() }),
    });
    const abort = () => socket.destroy(new DOMException('no TLS handshake in time', 'AbortError'));
    signal.addEventListener('abort', abort, { once: true });
    socket.once('close', () => signal.removeEventListener('abort', abort));
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      const { authorizationError: error } = socket;
      const refusal = error instanceof Error ? codeOf(error) : error;
      const certificates = chainFrom(socket.getPeerCertificate(true));
      resolve({ protocol: socket.getProtocol() ?? 'unknown', refusal: refusal || undefined, certificates });
      socket.destroy();
    });
  });
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}

function chainFrom(leaf: DetailedPeerCertificate): DetailedPeerCertificate[] {
  const chain: DetailedPeerCertificate[] = [];
  const seen = new Set<string>();
  for (let next: DetailedPeerCertificate | undefined = leaf; next?.raw && !seen.has(next.fingerprint256); ) {
    seen.add(next.fingerprint256);
    chain.push(next);
    next = next.issuerCertificate;
  }
  return chain;
}

function toPresented(certificate: DetailedPeerCertificate, sent: ReadonlySet<string>): PresentedCertificate {
  const { subject, issuer, subjectaltname = '', valid_to, fingerprint256, issuerCertificate } = certificate;
  return {
    subject: nameOf(subject),
    issuer: nameOf(issuer),
    names: [...subjectaltname.matchAll(/(?:DNS|IP Address):([^,]+)/g)].map(([, name = '']) => name),
    expiresAtEpochMs: Date.parse(valid_to),
    isSelfSigned: issuerCertificate?.fingerprint256 === fingerprint256,
    isSent: sent.has(fingerprint256),
  };
}

/** A part that is there twice comes as a list. */
function nameOf({ CN, O }: { CN?: string | string[]; O?: string | string[] }): string {
  return [CN ?? O ?? 'no name'].flat().join(', ');
}
