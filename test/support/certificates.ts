/** Certificates from an authority of our own, made by openssl; the keys are elliptic, which takes no time. */
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Certificate, loadCertificate } from '../../src/http/certificate.ts';
import { temporaryDirectory } from './command.ts';

export interface Issued {
  /** PEM. */
  readonly certificate: string;
  /** PKCS#8 PEM. */
  readonly key: string;
}

const scratch = temporaryDirectory();
const DAYS = 30;
const AUTHORITY = ['basicConstraints = critical, CA:TRUE', 'keyUsage = critical, keyCertSign, cRLSign'];
const NAMES = 'DNS:localhost, DNS:flows.example.com, IP:127.0.0.1';
const hostOf = (names: string) => ['basicConstraints = CA:FALSE', `subjectAltName = ${names}`];

interface IssueOptions {
  readonly days?: number;
  /** PEM, where two certificates must share one. */
  readonly key?: string;
}

interface LeafOptions extends IssueOptions {
  /** As openssl takes them. */
  readonly names?: string;
}

export function issueRoot(name: string): Issued {
  return issueByItself(name, [...AUTHORITY, 'subjectKeyIdentifier = hash']);
}

export function issueSelfSigned(name: string): Issued {
  return issueByItself(name, [...hostOf(NAMES), 'keyUsage = digitalSignature']);
}

export function issueIntermediate(name: string, signer: Issued, options?: IssueOptions): Issued {
  return issue(name, AUTHORITY, signer, options);
}

/** For localhost, flows.example.com and 127.0.0.1, unless other names are given. */
export function issueLeaf(name: string, signer: Issued, { names = NAMES, ...options }: LeafOptions = {}): Issued {
  return issue(name, hostOf(names), signer, options);
}

/** Writes `TLS_CERT_FILE` and `TLS_KEY_FILE`. */
export function writePair(certificates: readonly Issued[], { key }: Issued, directory = temporaryDirectory()) {
  const certFile = join(directory, 'tls.crt');
  const keyFile = join(directory, 'tls.key');
  writeFileSync(certFile, certificates.map(({ certificate }) => certificate).join(''));
  writeFileSync(keyFile, key);
  return { certFile, keyFile };
}

/** An authority that clients of a test trust, and certificates of its, ready to serve. */
export class TestAuthority {
  readonly root = issueRoot('Test Root');
  readonly intermediate = issueIntermediate('Test Intermediate', this.root);
  /** PEM, for the client's `ca`. */
  readonly ca: string = this.root.certificate;

  /** Writes the files of a new certificate, over those of an older one if there are any. */
  write(name: string, directory?: string) {
    const leaf = issueLeaf(name, this.intermediate);
    return writePair([leaf, this.intermediate], leaf, directory);
  }

  certificate(name: string): Certificate {
    const { certFile, keyFile } = this.write(name);
    return loadCertificate(certFile, keyFile, Date.now());
  }
}

function issueByItself(name: string, extensions: readonly string[]): Issued {
  const key = makeKey();
  return { key, certificate: openssl(...request(name, key, extensions), '-x509', '-days', String(DAYS)) };
}

function issue(
  name: string,
  extensions: readonly string[],
  signer: Issued,
  { days = DAYS, key = makeKey() }: IssueOptions = {},
): Issued {
  const lines = [...extensions, 'subjectKeyIdentifier = hash', 'authorityKeyIdentifier = keyid'];
  const certificate = openssl(
    ...['x509', '-req', '-in', file(openssl(...request(name, key))), '-days', String(days)],
    ...['-CA', file(signer.certificate), '-CAkey', file(signer.key)],
    ...['-set_serial', `0x${randomBytes(8).toString('hex')}`, '-extfile', file(lines.join('\n'))],
  );
  return { key, certificate };
}

/** The arguments that ask for a certificate. */
function request(name: string, key: string, extensions: readonly string[] = []): string[] {
  const section = extensions.length > 0 ? ['x509_extensions = ext'] : [];
  const lines = ['[req]', 'distinguished_name = dn', ...section, '[dn]', '[ext]', ...extensions];
  return [
    'req',
    '-new',
    '-config',
    file(lines.join('\n')),
    '-key',
    file(key),
    '-subj',
    name === '' ? '/' : `/CN=${name}`,
  ];
}

function file(text: string): string {
  const path = join(scratch, randomBytes(8).toString('hex'));
  writeFileSync(path, text);
  return path;
}

function openssl(...args: readonly string[]): string {
  return execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

function makeKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}
