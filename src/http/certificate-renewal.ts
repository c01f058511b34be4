/**
 * Serves a renewed certificate as soon as it is in the files.
 *
 * It has to pass the same checks as at the start. One that does not, never replaces the one in use: the log says why, once, and
 * the metric keeps the old date, so that it is noticed before that date is here.
 */
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import { watchFiles } from '../config/watch-files.ts';
import { codeOf, FlowgateError, stackOf } from '../errors.ts';
import type { Metrics } from '../metrics/registry.ts';
import { type Certificate, loadCertificate } from './certificate.ts';
import type { HttpServer } from './server.ts';

/** A problem may go away without a change to the files: so often it is looked at again. */
export const RETRY_MS = 60_000;

export interface CertificateRenewalOptions {
  readonly server: Pick<HttpServer, 'renewCertificate'>;
  /** The one that `server` was created with. */
  readonly certificate: Certificate;
  readonly watch?: typeof watchFiles;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Pick<Metrics, 'tlsCertificate'>;
}

export class CertificateRenewal {
  readonly #options: CertificateRenewalOptions;
  readonly #watch: { close(): void };
  #current: Certificate;
  #problem: string | undefined;
  #cancelRetry = () => {};

  constructor(options: CertificateRenewalOptions) {
    const { certificate, watch = watchFiles, clock, metrics } = options;
    this.#options = options;
    this.#current = certificate;
    metrics.tlsCertificate(certificate.expiresAtEpochMs);
    this.#watch = watch([certificate.certFile, certificate.keyFile], () => this.reload(), clock);
    this.reload(); // the files may have changed since they were read
  }

  /** Reads the files anew. */
  reload(): void {
    const { server, clock, log, metrics } = this.#options;
    const { certFile, keyFile, fingerprint } = this.#current;
    this.#cancelRetry();
    try {
      const renewed = loadCertificate(certFile, keyFile, clock.epochMs());
      const isChanged = renewed.fingerprint !== fingerprint;
      if (isChanged) {
        server.renewCertificate(renewed);
        metrics.tlsCertificate(renewed.expiresAtEpochMs);
        log.info(describeCertificate(renewed), 'another certificate is served now');
      } else if (this.#problem !== undefined) {
        log.info(describeCertificate(renewed), 'the certificate files are in order again');
      }
      this.#current = renewed;
      this.#problem = undefined;
    } catch (error) {
      this.#note(error);
      this.#cancelRetry = clock.after(RETRY_MS, () => this.reload());
    }
  }

  close(): void {
    this.#watch.close();
    this.#cancelRetry();
  }

  #note(error: unknown): void {
    const isKnown = error instanceof FlowgateError;
    const problem = isKnown ? error.message : 'it cannot be loaded, by a defect';
    if (problem !== this.#problem) {
      const detail = {
        code: codeOf(error),
        ...describeCertificate(this.#current),
        ...(!isKnown && { stack: stackOf(error) }),
      };
      this.#options.log.error(detail, `the certificate stays the one it was: ${problem}`);
    }
    this.#problem = problem;
  }
}

/** For a log line. */
export function describeCertificate({ subject, issuer, names, expiresAtEpochMs, fingerprint }: Certificate) {
  return { subject, issuer, names, expires: new Date(expiresAtEpochMs).toISOString(), fingerprint };
}
