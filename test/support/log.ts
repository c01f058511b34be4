import { type Logger, pino } from 'pino';

export type LogLine = Record<string, unknown>;

/** A log that keeps its lines for the test to read. */
export function recordingLog(): { log: Logger; lines: LogLine[] } {
  const lines: LogLine[] = [];
  const log = pino(
    { level: 'trace', base: null },
    { write: (line: string) => void lines.push(JSON.parse(line) as LogLine) },
  );
  return { log, lines };
}

export const silentLog: Logger = pino({ level: 'silent' });
