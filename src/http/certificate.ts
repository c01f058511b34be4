/**
 * The certificate of the public listener, checked as strictly as Meta's servers do.
 *
 * Browsers fetch an intermediate that is missing and put up with much else; Meta's servers only fail, and nobody sees why. So
 * whatever they would refuse is refused here, in a sentence that tells the remedy.
 */
import { createHash, createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { quotePath } from '../config/env.ts';
import { FlowgateError } from '../errors.ts';

/** What is known of a certificate that passed. The servers read the files themselves: no key is in here. */
export interface Certificate {
  readonly certFile: string;
  readonly keyFile: string;
  readonly subject: string;
  readonly issuer: string;
  /** The hosts it is for, from its subject alternative names. */
  readonly names: readonly string[];
  /** When the first certificate of the chain expires: from then on no client is served. */
  readonly expiresAtEpochMs: number;
  /** First 16 hex digits of the SHA-256 of the chain. */
  readonly fingerprint: string;
}

/**
 * @param certFile PEM, the certificate for the key first, then each certificate that signed the one before; the root at the
 *   end may be left out.
 * @param keyFile PEM, not encrypted.
 * @throws FlowgateError `CERTIFICATE_INVALID` with a sentence that holds no key material.
 */
export function loadCertificate(certFile: string, keyFile: string, nowEpochMs: number): Certificate {
  const certificates = parseCertificates(readText('TLS_CERT_FILE', certFile));
  const key = parseKey(readText('TLS_KEY_FILE', keyFile));
  const chain = chainOf(leafOf(certificates, key), certificates);
  refuseDisorder(certificates, chain);
  const presented = chain.filter((certificate) => !isSelfSigned(certificate)); // nobody looks at the dates of a root
  for (const certificate of presented) refuseOutOfDate(certificate, nowEpochMs);
  return {
    certFile,
    keyFile,
    subject: nameOf(chain[0]),
    issuer: issuerOf(chain[0]),
    names: namesOf(chain[0]),
    expiresAtEpochMs: Math.min(...presented.map(({ validTo }) => Date.parse(validTo))),
    fingerprint: fingerprintOf(chain),
  };
}

/** For a server that cannot serve what passed every check here: a kind of key it does not know, a file that just changed. */
export function unusable(server: string, cause: unknown): FlowgateError {
  const advice = 'take a key that is RSA, or elliptic on P-256 or P-384';
  return refusal(`${server} cannot serve TLS_CERT_FILE with TLS_KEY_FILE: ${advice}`, { cause });
}

/** From the leaf on, each signed by the next. */
type Chain = readonly [X509Certificate, ...X509Certificate[]];

const BEGIN = '-----BEGIN CERTIFICATE-----';
const BLOCK = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

function readText(name: string, path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    throw refusal(
      `${name}: cannot read ${quotePath(path)} (${(error as NodeJS.ErrnoException).code ?? 'unknown reason'})`,
    );
  }
}

function parseCertificates(text: string): Chain {
  const blocks = text.match(BLOCK) ?? [];
  const [leaf, ...rest] = blocks.map((pem, i) => {
    try {
      return new X509Certificate(pem);
    } catch {
      throw refusal(`certificate ${i + 1} of TLS_CERT_FILE is damaged`);
    }
  });
  if (text.split(BEGIN).length - 1 > blocks.length) throw refusal('TLS_CERT_FILE is cut off, or damaged');
  if (!leaf) throw refusal(`TLS_CERT_FILE holds no PEM certificate: expected a "${BEGIN}" block`);
  const all: Chain = [leaf, ...rest];
  for (const [i, certificate] of all.entries()) {
    const isTwice = all.findIndex((other) => other.fingerprint256 === certificate.fingerprint256) < i;
    if (isTwice) throw refusal(`TLS_CERT_FILE holds the certificate of ${nameOf(certificate)} twice: remove one`);
  }
  return all;
}

function parseKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    const isEncrypted = /-----BEGIN ENCRYPTED |Proc-Type: 4,ENCRYPTED/.test(pem);
    throw refusal(
      isEncrypted
        ? 'TLS_KEY_FILE is encrypted, and PASSPHRASE is not for it: decrypt it with openssl pkey -in <file> -out <file>'
        : 'TLS_KEY_FILE holds no PEM private key: expected a "-----BEGIN PRIVATE KEY-----" block',
    );
  }
}

/** The one that the key belongs to, wherever it is. */
function leafOf(certificates: Chain, key: KeyObject): X509Certificate {
  const leaf = certificates.find((certificate) => certificate.checkPrivateKey(key));
  if (leaf) return leaf;
  throw refusal(`TLS_KEY_FILE is not the key of the certificate in TLS_CERT_FILE (${nameOf(certificates[0])})`);
}

function chainOf(leaf: X509Certificate, certificates: Chain): Chain {
  const chain: [X509Certificate, ...X509Certificate[]] = [leaf];
  for (let last = leaf; !isSelfSigned(last); ) {
    const others = certificates.filter((certificate) => !chain.includes(certificate));
    const signer = signerOf(last, others);
    if (!signer) break;
    chain.push(signer);
    last = signer;
  }
  if (chain.length > 1) return chain;
  if (isSelfSigned(leaf)) {
    const trial = 'for a trial, sign it with a root of your own and append that root';
    throw refusal(`the certificate of ${nameOf(leaf)} is self-signed, and Meta refuses those: ${trial}`);
  }
  const why = `Meta does not fetch it, and refuses the one of ${nameOf(leaf)} without it`;
  throw refusal(`append the intermediate certificate of ${issuerOf(leaf)} to TLS_CERT_FILE: ${why}`);
}

/** @returns undefined when none has the issuer's name: there the chain ends, if it is whole. */
function signerOf(certificate: X509Certificate, others: readonly X509Certificate[]): X509Certificate | undefined {
  const namesakes = others.filter(({ subject }) => subject === certificate.issuer);
  const signer = namesakes.find((other) => certificate.checkIssued(other) && certificate.verify(other.publicKey));
  if (signer || namesakes.length === 0) return signer;
  const why = `did not sign the one of ${nameOf(certificate)}, only the name is right: take the chain that came with it`;
  throw refusal(`the certificate of ${issuerOf(certificate)} in TLS_CERT_FILE ${why}`);
}

function refuseDisorder(certificates: Chain, chain: Chain): void {
  const stranger = certificates.find((certificate) => !chain.includes(certificate));
  if (stranger) {
    const why = `has no part in the chain of ${nameOf(chain[0])}: remove it`;
    throw refusal(`TLS_CERT_FILE holds a certificate of ${nameOf(stranger)}, which ${why}`);
  }
  if (chain.some((certificate, i) => certificate !== certificates[i])) {
    throw refusal(`TLS_CERT_FILE is in the wrong order, the right one is: ${chain.map(nameOf).join(', then ')}`);
  }
}

function refuseOutOfDate(certificate: X509Certificate, nowEpochMs: number): void {
  const { validFrom, validTo } = certificate;
  const whose = `the certificate of ${nameOf(certificate)}`;
  if (nowEpochMs < Date.parse(validFrom)) {
    throw refusal(`${whose} is not valid before ${dateOf(validFrom)}: if that is past, mend the clock of this machine`);
  }
  if (nowEpochMs >= Date.parse(validTo)) throw refusal(`${whose} expired on ${dateOf(validTo)}: renew it`);
}

function isSelfSigned(certificate: X509Certificate): boolean {
  return certificate.subject === certificate.issuer && certificate.verify(certificate.publicKey);
}

function nameOf(certificate: X509Certificate): string {
  return commonNameIn(certificate.subject) ?? namesOf(certificate)[0] ?? (oneLine(certificate.subject) || 'no name');
}

function issuerOf({ issuer }: X509Certificate): string {
  return commonNameIn(issuer) ?? oneLine(issuer);
}

/** A name comes with a part a line. */
function commonNameIn(name: string): string | undefined {
  return /^CN=(.+)$/m.exec(name)?.[1];
}

function oneLine(name = ''): string {
  return name.replaceAll('\n', ', ');
}

function namesOf({ subjectAltName }: X509Certificate): string[] {
  return [...(subjectAltName ?? '').matchAll(/(?:DNS|IP Address):([^,]+)/g)].map(([, name = '']) => name);
}

function fingerprintOf(chain: Chain): string {
  const hash = createHash('sha256');
  for (const { raw } of chain) hash.update(raw);
  return hash.digest('hex').slice(0, 16);
}

function dateOf(text: string): string {
  return new Date(text).toISOString().replace('.000Z', 'Z');
}

function refusal(sentence: string, options?: ErrorOptions): FlowgateError {
  return new FlowgateError('CERTIFICATE_INVALID', sentence, options);
}
