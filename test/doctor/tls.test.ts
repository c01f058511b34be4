import { describe, expect, test } from 'vitest';
import { certificateFileCheck, publicCertificateCheck } from '../../src/doctor/tls-checks.ts';
import {
  type Issued,
  issueIntermediate,
  issueLeaf,
  issueSelfSigned,
  TestAuthority,
  writePair,
} from '../support/certificates.ts';
import { type ContextOptions, findingOf } from '../support/doctor.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { startAnswering, startServer } from '../support/proxy.ts';

const DAY_MS = 86_400_000;
const authority = new TestAuthority();
const { root, intermediate, ca } = authority;
const leaf = issueLeaf('flows.example.com', intermediate);
const in29Days = Object.assign(new FakeClock(), { epochMs: () => Date.now() + 29 * DAY_MS });

const present = (certificates: readonly Issued[], { key }: Issued = leaf) =>
  startServer((_, response) => response.end(), {
    key,
    cert: certificates.map(({ certificate }) => certificate).join(''),
  });

async function look(
  certificates: readonly Issued[],
  { key = leaf, ...options }: ContextOptions & { key?: Issued } = {},
) {
  await using server = await present(certificates, key);
  const { status, text } = await findingOf(publicCertificateCheck, { ca, url: server.url, ...options });
  return `${status}: ${text.replaceAll(String(server.port), 'PORT')}`;
}

describe('the public certificate', () => {
  test('is in order with its whole chain, the root sent or not', async () => {
    const fine = 'ok: flows.example.com, by Test Intermediate, whole chain, TLS 1.3, 29 days left';
    expect(await look([leaf, intermediate])).toBe(fine);
    expect(await look([leaf, intermediate, root])).toBe(fine);
  });

  test('lacks an intermediate, which is named', async () => {
    expect(await look([leaf])).toBe(
      'failed: localhost:PORT does not send the intermediate certificate of Test Intermediate, which signed that of flows.example.com: append it to the chain it serves (fullchain.pem, not cert.pem); if Test Intermediate is a root of your own, Meta refuses it',
    );
    const second = issueIntermediate('Second Intermediate', intermediate);
    const deep = issueLeaf('deep.example.com', second);
    expect(await look([deep, second], { key: deep })).toContain(
      'does not send the intermediate certificate of Test Intermediate, which signed that of Second Intermediate',
    );
  });

  test('lacks an intermediate that only this machine knows', async () => {
    expect(await look([leaf], { ca: `${ca}${intermediate.certificate}` })).toContain(
      'localhost:PORT does not send the intermediate certificate of Test Intermediate, which signed that of flows',
    );
  });

  test('is not publicly trusted', async () => {
    const alone = issueSelfSigned('alone.example.com');
    expect(await look([alone], { key: alone })).toContain(
      'of alone.example.com is self-signed, and Meta refuses those',
    );
    const other = new TestAuthority();
    expect(await look([leaf, intermediate, root], { ca: other.ca })).toContain(
      'the chain ends at Test Root, a root that is not publicly trusted: take a certificate of a public authority',
    );
  });

  test('has expired, or soon will', async () => {
    const clock = in29Days;
    expect(await look([leaf, intermediate], { clock })).toMatch(
      /^failed: flows.example.com, by .*, but expires in \d+ h: renew it now, and see why nothing did$/,
    );
    const expired = issueLeaf('late.example.com', intermediate, { days: -1 });
    expect(await look([expired, intermediate], { key: expired })).toMatch(
      /the certificate of late.example.com expired on \d{4}-\d\d-\d\d: renew it, and reload the proxy$/,
    );
  });

  test('is for another name', async () => {
    const names = 'DNS:elsewhere.example.com, DNS:www.example.com';
    const strange = issueLeaf('elsewhere.example.com', intermediate, { names });
    expect(await look([strange, intermediate], { key: strange })).toBe(
      'failed: the certificate is for elsewhere.example.com, www.example.com, not for localhost: issue it for that name, or mend --url',
    );
  });

  test.each([
    ['CERT_NOT_YET_VALID', 'is not valid yet: mend the clock of this machine, or wait'],
    ['CERT_REVOKED', 'the certificate of a.example is refused (CERT_REVOKED): replace it'],
  ])('is refused for what is rare: %s', async (refusal, sentence) => {
    const certificate = {
      subject: 'a.example',
      issuer: 'b',
      names: [],
      expiresAtEpochMs: 0,
      isSelfSigned: false,
      isSent: true,
    };
    const handshake = async () => ({ protocol: 'TLSv1.2', refusal, chain: [certificate] });
    const { text } = await findingOf(publicCertificateCheck, { url: 'https://a.example', handshake });
    expect(text).toContain(sentence);
    const nothing = async () => ({ protocol: 'TLSv1.2', refusal, chain: [] });
    const none = await findingOf(publicCertificateCheck, { url: 'https://a.example', handshake: nothing });
    expect(none.text).toBe('a.example presents no certificate: give it one that is publicly trusted');
  });

  test('is none, since the URL is not https, or the port is not', async () => {
    expect(await findingOf(publicCertificateCheck)).toEqual({
      status: 'skipped',
      text: 'give --url, the address that Meta has',
    });
    expect(await findingOf(publicCertificateCheck, { url: 'http://127.0.0.1:3000' })).toEqual({
      status: 'skipped',
      text: 'give the public --url, with https: this one is of this machine',
    });
    expect(await findingOf(publicCertificateCheck, { url: 'http://flows.example.com' })).toEqual({
      status: 'failed',
      text: '--url begins with http:, and Meta calls https only: put TLS in front, or set TLS_CERT_FILE',
    });
    await using clear = await startAnswering(200);
    const { text } = await findingOf(publicCertificateCheck, { url: `https://127.0.0.1:${clear.port}` });
    expect(text).toContain('does not speak TLS: give the port that does');
  });
});

describe('the certificate file', () => {
  const files = (certificates: readonly Issued[]) => {
    const { certFile, keyFile } = writePair(certificates, leaf);
    return { TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile };
  };

  test('is in order, or says what the start would', async () => {
    expect(await findingOf(certificateFileCheck, { env: files([leaf, intermediate]) })).toEqual({
      status: 'ok',
      text: 'flows.example.com, by Test Intermediate, whole chain, 29 days left',
    });
    const { status, text } = await findingOf(certificateFileCheck, { env: files([leaf]) });
    expect({ status, text }).toEqual({
      status: 'failed',
      text: expect.stringContaining('append the intermediate certificate of Test Intermediate to TLS_CERT_FILE'),
    });
  });

  test('expires soon, or is not set', async () => {
    const env = files([leaf, intermediate]);
    expect((await findingOf(certificateFileCheck, { env, clock: in29Days })).text).toMatch(
      /but expires in \d+ h: renew/,
    );
    expect((await findingOf(certificateFileCheck)).status).toBe('skipped');
  });
});
