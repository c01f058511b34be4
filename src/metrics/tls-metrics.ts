/** TLS on the public listener. */
import { Gauge, type Registry } from 'prom-client';

export interface TlsMetrics {
  /** @param expiresAtEpochMs of the certificate in use; never told where TLS is off, and then there is no value. */
  tlsCertificate(expiresAtEpochMs: number): void;
}

export function createTlsMetrics(registry: Registry): TlsMetrics {
  const expiry = new Gauge({
    name: 'flowgate_tls_certificate_expiry_timestamp_seconds',
    help: 'When the certificate in use, or the first in its chain to do so, expires; without a value when TLS is off.',
    registers: [registry],
  });
  expiry.remove(); // the 0 it begins with would be a certificate that expired in 1970
  return { tlsCertificate: (expiresAtEpochMs) => expiry.set(expiresAtEpochMs / 1000) };
}
