/** A client that is had when it is first needed: a handler that sends nothing waits for no lookup, and fails with none. */
import type { GraphClient } from './client.ts';

/** @param open called for each call. What it throws or rejects with, the call rejects with. */
export function lazyClient(open: () => Promise<GraphClient>): GraphClient {
  return {
    sendText: async (...given) => (await open()).sendText(...given),
    sendDocument: async (...given) => (await open()).sendDocument(...given),
    sendFlow: async (...given) => (await open()).sendFlow(...given),
    sendTemplate: async (...given) => (await open()).sendTemplate(...given),
    markRead: async (...given) => (await open()).markRead(...given),
    mediaInfo: async (...given) => (await open()).mediaInfo(...given),
  };
}
