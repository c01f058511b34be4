import { readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { FlowgateError } from '../../src/errors.ts';
import { type Certificate, loadCertificate } from '../../src/http/certificate.ts';
import { CertificateRenewal, RETRY_MS } from '../../src/http/certificate-renewal.ts';
import { issueLeaf, TestAuthority } from '../support/certificates.ts';
import { eventually } from '../support/eventually.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { recordingLog } from '../support/log.ts';

const authority = new TestAuthority();

/** A clock that the test moves, but whose dates are real, as those of the certificates are. */
class DatedClock extends FakeClock {
  override epochMs(): number {
    return Date.now();
  }
}

function setUp({ isWatching = false } = {}) {
  const clock = new DatedClock();
  const files = authority.write('first');
  const { log, lines } = recordingLog();
  const served: string[] = [];
  const expiries: number[] = [];
  let refuse: Error | undefined;
  const renewal = new CertificateRenewal({
    certificate: loadCertificate(files.certFile, files.keyFile, Date.now()),
    server: {
      renewCertificate(certificate: Certificate) {
        if (refuse) throw refuse;
        served.push(certificate.subject);
      },
    },
    ...(!isWatching && { watch: () => ({ close: () => {} }) }),
    clock: isWatching ? systemClock : clock,
    log,
    metrics: { tlsCertificate: (expiresAtEpochMs) => expiries.push(expiresAtEpochMs) },
  });
  return {
    renewal,
    files,
    clock,
    lines,
    served,
    expiries,
    renew: (name: string) => void authority.write(name, dirname(files.certFile)),
    refuseWith: (error: Error | undefined) => {
      refuse = error;
    },
    [Symbol.dispose]: () => renewal.close(),
  };
}

test('a renewed certificate is served, told in the log and in the metric', () => {
  using it = setUp();
  it.renew('second');
  it.renewal.reload();
  expect(it.served).toEqual(['second']);
  expect(it.expiries).toHaveLength(2);
  expect(it.lines).toMatchObject([
    {
      msg: 'another certificate is served now',
      subject: 'second',
      issuer: 'Test Intermediate',
      names: ['localhost', 'flows.example.com', '127.0.0.1'],
    },
  ]);
});

test('files that were renewed while the service started are noticed without another change', () => {
  const files = authority.write('first');
  const certificate = loadCertificate(files.certFile, files.keyFile, Date.now());
  authority.write('second', dirname(files.certFile));
  const served: string[] = [];
  const renewal = new CertificateRenewal({
    certificate,
    server: { renewCertificate: ({ subject }) => served.push(subject) },
    clock: new DatedClock(),
    log: recordingLog().log,
    metrics: { tlsCertificate: () => {} },
  });
  expect(served).toEqual(['second']);
  renewal.close();
});

test('the same certificate is not served twice', () => {
  using it = setUp();
  it.renewal.reload();
  expect({ served: it.served, lines: it.lines }).toEqual({ served: [], lines: [] });
});

test('a change of the files is noticed', async () => {
  using it = setUp({ isWatching: true });
  it.renew('second');
  await eventually(() => expect(it.served).toEqual(['second']));
});

test('a chain that does not pass never replaces the one in use: one log line, and the metric keeps the old date', () => {
  using it = setUp();
  writeFileSync(it.files.certFile, 'nothing yet');
  for (const _ of [1, 2, 3]) it.renewal.reload();
  expect(it.served).toEqual([]);
  expect(it.expiries).toHaveLength(1);
  expect(it.lines).toMatchObject([
    {
      code: 'CERTIFICATE_INVALID',
      subject: 'first',
      msg: 'the certificate stays the one it was: TLS_CERT_FILE holds no PEM certificate: expected a "-----BEGIN CERTIFICATE-----" block',
    },
  ]);
});

test('half of a renewal, a certificate without its key, changes nothing; the other half does', () => {
  using it = setUp();
  const { key, certificate } = issueLeaf('second', authority.intermediate);
  writeFileSync(it.files.certFile, certificate + authority.intermediate.certificate);
  it.renewal.reload();
  expect(it.served).toEqual([]);
  writeFileSync(it.files.keyFile, key);
  it.renewal.reload();
  expect(it.served).toEqual(['second']);
  expect(it.lines.map(({ code, msg }) => code ?? msg)).toEqual([
    'CERTIFICATE_INVALID',
    'another certificate is served now',
  ]);
});

test('another problem is another line, and the end of it is one', () => {
  using it = setUp();
  unlinkSync(it.files.keyFile);
  it.renewal.reload();
  writeFileSync(it.files.keyFile, 'damaged');
  it.renewal.reload();
  it.renew('first');
  it.renewal.reload();
  expect(it.lines.map(({ msg }) => String(msg).split(':')[1] ?? msg)).toEqual([
    ' TLS_KEY_FILE',
    ' TLS_KEY_FILE holds no PEM private key',
    'another certificate is served now', // a leaf of the same name is not the same leaf
  ]);
});

test('files that are as they were before the problem are told to be in order', () => {
  using it = setUp();
  const { certFile } = it.files;
  const good = readFileSync(certFile);
  writeFileSync(certFile, '');
  it.renewal.reload();
  writeFileSync(certFile, good);
  it.renewal.reload();
  expect(it.served).toEqual([]);
  expect(it.lines.map(({ msg }) => msg)).toMatchObject([
    expect.stringContaining('the certificate stays'),
    'the certificate files are in order again',
  ]);
});

test('a problem is looked at again every minute, for what no change will tell of', () => {
  using it = setUp();
  it.refuseWith(new FlowgateError('LISTEN_FAILED', 'the port is taken'));
  it.renew('second');
  it.renewal.reload();
  it.refuseWith(undefined);
  expect(it.served).toEqual([]);
  it.clock.advance(RETRY_MS);
  expect(it.served).toEqual(['second']);
  expect(it.clock.pending).toBe(0);
});

test('a defect is told with where it came from, and without what it said', () => {
  using it = setUp();
  it.refuseWith(new Error('secret'));
  it.renew('second');
  it.renewal.reload();
  expect(it.lines).toMatchObject([{ code: 'INTERNAL', stack: expect.stringContaining('Error') }]);
  expect(JSON.stringify(it.lines)).not.toContain('secret');
});

test('close() ends watching and looking again', () => {
  const it = setUp();
  unlinkSync(it.files.certFile);
  it.renewal.reload();
  it.renewal.close();
  expect(it.clock.pending).toBe(0);
});
