/** The log: one event a line, JSON, on stdout. Fields are named at each call; none holds a body, token, number or key. */
import { type Logger, pino } from 'pino';
import type { Config } from './config/settings.ts';

export function createLog(level: Config['logLevel']): Logger {
  return pino({
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: REDACTED, censor: '[redacted]' },
  });
}

/** A second net, under the handlers' own `c.log` calls: names that Meta's payloads use for what must not be logged. */
const NAMES = [
  'flow_token',
  'token',
  'from',
  'to',
  'wa_id',
  'phone',
  'authorization',
  'passphrase',
  'appSecret',
  'privateKey',
];
const REDACTED = NAMES.flatMap((name) => [name, `*.${name}`]);
