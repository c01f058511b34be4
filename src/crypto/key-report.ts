/** What a server tells of its private keys, on its admin port and in Redis: fingerprints, never a key. */
import type { Route } from '../http/router.ts';
import { isObject } from '../json.ts';

export interface KeyReport {
  /** Newest first. */
  readonly fingerprints: readonly string[];
  /** Why the files cannot be used, in a sentence, while older keys go on serving. */
  readonly problem: string | undefined;
}

/** `GET /keys` on the admin port. */
export function keyRoute(report: KeyReport): Route {
  return {
    methods: ['GET'],
    handler: () => {
      const { fingerprints, problem } = report;
      return { status: 200, headers: JSON_HEADERS, body: JSON.stringify({ fingerprints, problem }) };
    },
  };
}

const JSON_HEADERS = {
  'Content-Type': 'application/json',
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
};

/** @returns undefined for what is no report. */
export function parseKeyReport(text: string): KeyReport | undefined {
  try {
    return toKeyReport(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** @returns undefined for what is no report. */
export function toKeyReport(value: unknown): KeyReport | undefined {
  if (!isObject(value)) return undefined;
  const { fingerprints, problem } = value;
  if (!Array.isArray(fingerprints)) return undefined;
  const isText = (item: unknown) => typeof item === 'string';
  if (!fingerprints.every(isText) || !(problem === undefined || isText(problem))) return undefined;
  return { fingerprints: fingerprints as string[], problem: problem as string | undefined };
}
