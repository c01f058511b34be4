/** One HTTP request as Meta sends it: these very bytes, no redirect followed, certificates verified. */
import { type IncomingHttpHeaders, type IncomingMessage, request as requestInClear } from 'node:http';
import { request as requestOverTls } from 'node:https';
import { seconds } from './check.ts';

/** Nothing that is asked for is longer: what is beyond it is not read. */
const MAX_BODY_BYTES = 64 * 1024;

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface SendOptions {
  readonly method?: 'GET' | 'HEAD' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
}

/** Rejects with the system's or OpenSSL's error, which has a code. */
export type Send = (url: string, options: SendOptions) => Promise<Answer>;

/** @param ca PEM of the roots to trust in place of Node's own, for tests. */
export function createSend(ca?: string): Send {
  return (url, { method = 'GET', headers = {}, body, signal }) =>
    new Promise((resolve, reject) => {
      const request = url.startsWith('https:') ? requestOverTls : requestInClear;
      const options = { method, headers, signal, agent: false, ...(ca !== undefined && { ca }) };
      const outgoing = request(url, options, (incoming) => {
        const { statusCode: status = 0, headers } = incoming;
        readBody(incoming).then((text) => resolve({ status, headers, body: text }), reject);
      });
      outgoing.on('error', reject);
      outgoing.end(body);
    });
}

async function readBody(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= MAX_BODY_BYTES) break; // ends the connection
  }
  return Buffer.concat(chunks).toString();
}

/** Why there is no answer, and what to do about it: a sentence for what `Send` and a TLS handshake reject with. */
export function whyNoAnswer(error: unknown, url: string, signal: AbortSignal): string {
  const { host, hostname } = new URL(url);
  if (signal.aborted) {
    return `${host} did not answer within ${seconds()} s, and Meta gives up then: look at the firewall, and at what the proxy waits for`;
  }
  const code = codeIn(error);
  return REASONS.get(code)?.(host, hostname) ?? `${host} cannot be reached (${code}): look at the proxy in front`;
}

/** Node tries each address of a name, and then reports them together. */
function codeIn(error: unknown): string {
  const { code, errors } = error as { code?: unknown; errors?: readonly unknown[] };
  if (typeof code === 'string' && /^[A-Z][A-Z0-9_]+$/.test(code)) return code;
  return errors?.[0] === undefined ? 'no reason given' : codeIn(errors[0]);
}

type Reason = (host: string, hostname: string) => string;

const seeCertificate: Reason = (host) =>
  `TLS with ${host} fails, since its certificate is not trusted: see "public certificate"`;
const notTls: Reason = (host) =>
  `${host} does not speak TLS: give the port that does, or let the proxy (or TLS_CERT_FILE) do it`;
const oldTls: Reason = (host) => `${host} has no TLS that is in use today: switch on TLS 1.2 and 1.3 there`;
const closes: Reason = (host) =>
  `${host} closes the connection without an answer: look at the proxy, and at whether the server behind it runs`;

const REASONS: ReadonlyMap<string, Reason> = new Map([
  ['ENOTFOUND', (_, hostname) => `there is no host ${hostname} in the DNS: add its record, or mend --url`],
  ['EAI_AGAIN', (_, hostname) => `the DNS does not answer for ${hostname}: look at the network of this machine`],
  ['ECONNREFUSED', (host) => `nothing listens at ${host}: start the server or its proxy, or mend --url`],
  ['EHOSTUNREACH', (host) => `no way leads to ${host}: look at the network and the firewall`],
  ['ENETUNREACH', (host) => `no way leads to ${host}: look at the network and the firewall`],
  ['ETIMEDOUT', (host) => `${host} does not take connections: open its port in the firewall`],
  ['ECONNRESET', closes],
  ['EPIPE', closes],
  ['HPE_INVALID_CONSTANT', (host) => `${host} does not speak HTTP: is it the right port?`],
  ['EPROTO', notTls],
  ['ERR_SSL_WRONG_VERSION_NUMBER', notTls],
  ['ERR_SSL_PACKET_LENGTH_TOO_LONG', notTls],
  ['ERR_SSL_UNSUPPORTED_PROTOCOL', oldTls],
  ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', oldTls],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', seeCertificate],
  ['UNABLE_TO_GET_ISSUER_CERT', seeCertificate],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', seeCertificate],
  ['SELF_SIGNED_CERT_IN_CHAIN', seeCertificate],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', seeCertificate],
  ['CERT_HAS_EXPIRED', seeCertificate],
  ['CERT_NOT_YET_VALID', seeCertificate],
  ['ERR_TLS_CERT_ALTNAME_INVALID', seeCertificate],
] satisfies [string, Reason][]);
