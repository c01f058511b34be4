/** What the admin port serves: metrics, readiness, keys and the inbox. */
import { keyRoute } from './crypto/key-report.ts';
import type { KeyWatcher } from './crypto/key-watcher.ts';
import { LIVENESS, type Route } from './http/router.ts';
import type { HttpHandler } from './http/server.ts';
import type { Metrics } from './metrics/registry.ts';
import type { Readiness } from './readiness.ts';
import { inboxRoutes } from './webhooks/admin.ts';
import type { Inbox } from './webhooks/inbox.ts';

export function adminRoutes(
  metrics: Metrics,
  readiness: Readiness,
  inbox: Inbox,
  keys: KeyWatcher | undefined,
): (path: string) => Route | undefined {
  const render: HttpHandler = async () => ({
    status: 200,
    headers: { 'Content-Type': metrics.contentType },
    body: await metrics.render(),
  });
  const own = new Map<string, Route>([
    ['/metrics', { methods: ['GET'], handler: render }],
    ['/readyz', readiness.route],
    ['/healthz', LIVENESS], // all that a worker serves is here
  ]);
  if (keys) own.set('/keys', keyRoute(keys));
  const ofInbox = inboxRoutes(inbox);
  return (path) => own.get(path) ?? ofInbox(path);
}
