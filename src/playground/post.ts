/** A POST to the public port over loopback, measured: what Meta's servers do for a phone and for a webhook. */
import { request as requestInClear } from 'node:http';
import { request as requestOverTls } from 'node:https';

/** Longer than the service lets an exchange last. */
const TIMEOUT_MS = 15_000;
/** A client takes 1 MB, which base64 makes a third larger. */
export const MAX_ANSWER_BYTES = 8 * 1024 * 1024;

export interface PostedAnswer {
  /** 0 when there was none. */
  readonly status: number;
  readonly contentType: string | null;
  readonly body: string;
  readonly bytes: number;
  /** From sending to the last byte. */
  readonly tookMs: number;
}

/** Never rejects. Each has a connection of its own, which counts for nothing; no certificate names a loopback address. */
export function post(url: string, body: string, headers: Readonly<Record<string, string>>): Promise<PostedAnswer> {
  return new Promise((resolve) => {
    let startedMs = performance.now();
    const isTls = url.startsWith('https:');
    const chunks: Buffer[] = [];
    let bytes = 0;
    const end = (status: number, contentType: string | null) => {
      const text = status === 0 ? '' : Buffer.concat(chunks).toString('utf8');
      resolve({ status, contentType, body: text, bytes, tookMs: performance.now() - startedMs });
    };
    const request = (isTls ? requestOverTls : requestInClear)(url, {
      method: 'POST',
      agent: false,
      rejectUnauthorized: false,
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body), ...headers },
    });
    request.once('socket', (socket) => {
      socket.once(isTls ? 'secureConnect' : 'connect', () => {
        startedMs = performance.now();
      });
    });
    request.once('response', (response) => {
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes <= MAX_ANSWER_BYTES) chunks.push(chunk);
        else response.destroy();
      });
      const { statusCode = 0, headers: answered } = response;
      response.once('close', () => end(response.complete ? statusCode : 0, answered['content-type'] ?? null));
    });
    request.once('error', () => end(0, null)); // after a response this changes nothing
    request.end(body);
  });
}
