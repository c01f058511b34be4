/** The page, as it was built ahead of time: `index.html` and its assets, read once into memory. */
import { readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import type { HttpReply } from '../http/server.ts';

/** The same place from `src` and from `dist`. */
const BUILT = new URL('../../dist/playground/', import.meta.url);
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};
/** No script, style, picture or connection but the page's own, wherever a text on it came from. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': POLICY,
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};
const NOT_BUILT: HttpReply = {
  status: 503,
  headers: { ...SECURITY_HEADERS, 'Content-Type': 'text/plain', 'Cache-Control': 'no-store' },
  body: 'The playground was not built: run "npm run build" and start again.\n',
};

export type FindFile = (path: string) => HttpReply | undefined;

/** @returns what is under `/playground/`: a look into a table, so no path leads out of it. */
export function loadPage(directory = BUILT): FindFile {
  const files = new Map<string, HttpReply>();
  const index = read(new URL('index.html', directory), 'no-cache');
  for (const name of namesIn(new URL('assets/', directory))) {
    const file = read(new URL(`assets/${encodeURIComponent(name)}`, directory), 'public, max-age=31536000, immutable');
    if (file) files.set(`/playground/assets/${name}`, file);
  }
  files.set('/playground/', index ?? NOT_BUILT);
  if (index) files.set('/playground/index.html', index);
  return (path) => files.get(path);
}

/** Text alone: what has another type is left out. */
function read(file: URL, caching: string): HttpReply | undefined {
  const type = TYPES[extname(file.pathname)];
  try {
    if (type === undefined) return undefined;
    const headers = { ...SECURITY_HEADERS, 'Content-Type': type, 'Cache-Control': caching };
    return { status: 200, headers, body: readFileSync(file, 'utf8') };
  } catch {
    return undefined; // not built
  }
}

function namesIn(directory: URL): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
