import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FlowgateError } from '../../src/errors.ts';
import { loadCertificate } from '../../src/http/certificate.ts';
import {
  type Issued,
  issueIntermediate,
  issueLeaf,
  issueRoot,
  issueSelfSigned,
  TestAuthority,
  writePair,
} from '../support/certificates.ts';
import { temporaryDirectory } from '../support/command.ts';

const DAY_MS = 86_400_000;
const { root, intermediate } = new TestAuthority();
const leaf = issueLeaf('flows.example.com', intermediate);
/** Its certificates have the same names, and other keys. */
const other = new TestAuthority();
const now = Date.now();

function load(certificates: readonly Issued[], key: Issued = leaf, nowEpochMs = Date.now()) {
  const { certFile, keyFile } = writePair(certificates, key);
  return loadCertificate(certFile, keyFile, nowEpochMs);
}

/** Why it is refused: the sentence, which never holds what a key file does. */
function refusal(attempt: () => unknown): string {
  try {
    attempt();
  } catch (error) {
    expect(error).toBeInstanceOf(FlowgateError);
    const { code, message } = error as FlowgateError;
    expect(code).toBe('CERTIFICATE_INVALID');
    for (const line of leaf.key.split('\n').filter((text) => text.length > 30)) expect(message).not.toContain(line);
    return message;
  }
  throw new Error('it was accepted');
}

function loadText({ cert = leaf.certificate + intermediate.certificate, key = leaf.key }) {
  const directory = temporaryDirectory();
  const [certFile, keyFile] = [join(directory, 'tls.crt'), join(directory, 'tls.key')];
  writeFileSync(certFile, cert);
  writeFileSync(keyFile, key);
  return loadCertificate(certFile, keyFile, Date.now());
}

describe('loadCertificate takes', () => {
  test('a leaf with its intermediate, and tells what it is', () => {
    const certificate = load([leaf, intermediate]);
    expect(certificate).toMatchObject({
      subject: 'flows.example.com',
      issuer: 'Test Intermediate',
      names: ['localhost', 'flows.example.com', '127.0.0.1'],
      fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/),
    });
    expect(JSON.stringify(certificate)).not.toContain('PRIVATE KEY');
  });

  test('the root at the end, too', () => {
    expect(load([leaf, intermediate, root]).subject).toBe('flows.example.com');
  });

  test('a root that has expired: nobody looks at its dates', () => {
    const longLived = issueIntermediate('Long Lived', root, { days: 90 });
    const last = issueLeaf('flows.example.com', longLived, { days: 60 });
    expect(load([last, longLived, root], last, now + 45 * DAY_MS).issuer).toBe('Long Lived');
  });

  test('a leaf that the root signed, with the root', () => {
    const direct = issueLeaf('flows.example.com', root);
    expect(load([direct, root], direct).issuer).toBe('Test Root');
  });

  test('a chain of two intermediates', () => {
    const second = issueIntermediate('Second', intermediate);
    const deep = issueLeaf('flows.example.com', second);
    expect(load([deep, second, intermediate], deep).issuer).toBe('Second');
  });

  test('a leaf without a name of its own, as authorities hand them out now: it is called by its first host', () => {
    const nameless = issueLeaf('', intermediate);
    expect(load([nameless, intermediate], nameless).subject).toBe('localhost');
  });

  test('text around the blocks, and a key in the same file', () => {
    const cert = `Certificate:\n  Data:\n${leaf.certificate}\r\n# the next\n${intermediate.certificate}${leaf.key}`;
    expect(loadText({ cert, key: cert }).subject).toBe('flows.example.com');
  });

  test('the expiry of whichever certificate expires first', () => {
    const short = issueIntermediate('Short Lived', root, { days: 5 });
    const last = issueLeaf('flows.example.com', short, { days: 20 });
    const { expiresAtEpochMs } = load([last, short], last);
    expect(Math.abs(expiresAtEpochMs - (now + 5 * DAY_MS))).toBeLessThan(DAY_MS / 24);
  });

  test('the same chain for the same, and another for another', () => {
    expect(load([leaf, intermediate]).fingerprint).toBe(load([leaf, intermediate]).fingerprint);
    expect(load([leaf, intermediate, root]).fingerprint).not.toBe(load([leaf, intermediate]).fingerprint);
  });
});

describe('loadCertificate refuses', () => {
  test('a leaf without its intermediate', () => {
    expect(refusal(() => load([leaf]))).toBe(
      'append the intermediate certificate of Test Intermediate to TLS_CERT_FILE: Meta does not fetch it, and refuses the one of flows.example.com without it',
    );
  });

  test('a leaf with the intermediate of another authority', () => {
    const stranger = issueIntermediate('Another Intermediate', root);
    expect(refusal(() => load([leaf, stranger]))).toContain('append the intermediate certificate of Test Intermediate');
  });

  test('an intermediate that has the name of the right one, and another key', () => {
    expect(refusal(() => load([leaf, other.intermediate]))).toBe(
      'the certificate of Test Intermediate in TLS_CERT_FILE did not sign the one of flows.example.com, only the name is right: take the chain that came with it',
    );
  });

  test('a self-signed certificate', () => {
    const alone = issueSelfSigned('flows.example.com');
    expect(refusal(() => load([alone], alone))).toBe(
      'the certificate of flows.example.com is self-signed, and Meta refuses those: for a trial, sign it with a root of your own and append that root',
    );
  });

  test.each([
    ['the root first', [root, intermediate, leaf]],
    ['the intermediate first', [intermediate, leaf, root]],
    ['the leaf last', [intermediate, root, leaf]],
  ])('the wrong order (%s), and tells the right one', (_, certificates) => {
    expect(refusal(() => load(certificates))).toBe(
      'TLS_CERT_FILE is in the wrong order, the right one is: flows.example.com, then Test Intermediate, then Test Root',
    );
  });

  test('a certificate that is there twice', () => {
    expect(refusal(() => load([leaf, intermediate, leaf]))).toBe(
      'TLS_CERT_FILE holds the certificate of flows.example.com twice: remove one',
    );
  });

  test('a certificate that has no part in the chain', () => {
    const stranger = issueIntermediate('A Stranger', root);
    expect(refusal(() => load([leaf, intermediate, stranger]))).toBe(
      'TLS_CERT_FILE holds a certificate of A Stranger, which has no part in the chain of flows.example.com: remove it',
    );
  });

  test('the key of another certificate', () => {
    expect(refusal(() => load([leaf, intermediate], issueLeaf('flows.example.com', intermediate)))).toBe(
      'TLS_KEY_FILE is not the key of the certificate in TLS_CERT_FILE (flows.example.com)',
    );
  });

  test.each([
    ['leaf', 31, 'flows.example.com'],
    ['intermediate', 11, 'Short Lived'],
  ])('an expired %s, with the date', (_, days, whose) => {
    const short = issueIntermediate('Short Lived', root, { days: 10 });
    const last = issueLeaf('flows.example.com', short);
    const chain = whose === 'Short Lived' ? [last, short] : [leaf, intermediate];
    const sentence = refusal(() => load(chain, chain[0], now + days * DAY_MS));
    const date = new Date(now + (days - 1) * DAY_MS).toISOString().slice(0, 10);
    expect(sentence).toMatch(new RegExp(`^the certificate of ${whose} expired on ${date}T[0-9:]{8}Z: renew it$`));
  });

  test('one that is not valid yet, with the date', () => {
    const sentence = refusal(() => load([leaf, intermediate], leaf, now - DAY_MS));
    expect(sentence).toMatch(
      /^the certificate of flows\.example\.com is not valid before \d{4}-\d\d-\d\dT[0-9:]{8}Z: /,
    );
  });

  test.each([
    [{ cert: '' }, 'TLS_CERT_FILE holds no PEM certificate: expected a "-----BEGIN CERTIFICATE-----" block'],
    [{ cert: leaf.key }, 'TLS_CERT_FILE holds no PEM certificate: expected a "-----BEGIN CERTIFICATE-----" block'],
    [{ cert: (leaf.certificate + intermediate.certificate).slice(0, -60) }, 'TLS_CERT_FILE is cut off, or damaged'],
    [
      { cert: leaf.certificate + intermediate.certificate.replace(/MII.{9}/, 'MIIaaaaaaaaa') },
      'certificate 2 of TLS_CERT_FILE is damaged',
    ],
    [{ key: '' }, 'TLS_KEY_FILE holds no PEM private key: expected a "-----BEGIN PRIVATE KEY-----" block'],
    [
      { key: leaf.certificate },
      'TLS_KEY_FILE holds no PEM private key: expected a "-----BEGIN PRIVATE KEY-----" block',
    ],
    [
      { key: leaf.key.slice(0, 100) },
      'TLS_KEY_FILE holds no PEM private key: expected a "-----BEGIN PRIVATE KEY-----" block',
    ],
    [
      { key: encrypted(leaf.key) },
      'TLS_KEY_FILE is encrypted, and PASSPHRASE is not for it: decrypt it with openssl pkey -in <file> -out <file>',
    ],
  ])('files that hold something else (%#)', (files, sentence) => {
    expect(refusal(() => loadText(files))).toBe(sentence);
  });

  test('files that are not there', () => {
    const { certFile, keyFile } = writePair([leaf, intermediate], leaf);
    expect(refusal(() => loadCertificate('/nowhere/tls.crt', keyFile, now))).toBe(
      'TLS_CERT_FILE: cannot read /nowhere/tls.crt (ENOENT)',
    );
    expect(refusal(() => loadCertificate(certFile, '/nowhere/tls.key', now))).toBe(
      'TLS_KEY_FILE: cannot read /nowhere/tls.key (ENOENT)',
    );
  });

  test('two authorities that signed each other, without looking for ever', () => {
    const [one, two] = [issueRoot('One'), issueRoot('Two')];
    const oneByTwo = issueIntermediate('One', two, { key: one.key });
    const twoByOne = issueIntermediate('Two', one, { key: two.key });
    const last = issueLeaf('flows.example.com', one);
    expect(load([last, oneByTwo, twoByOne], last).issuer).toBe('One');
  });
});

function encrypted(key: string): string {
  const args = ['pkey', '-aes256', '-passout', 'pass:secret'];
  return execFileSync('openssl', args, { input: key, encoding: 'utf8' });
}
