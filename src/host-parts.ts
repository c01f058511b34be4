/** What a host is made of: the app, what stands in for parts of it, and what its parts share. */
import type { Logger } from 'pino';
import type { Clock } from './clock.ts';
import type { Config, SettingOverrides, Settings } from './config/settings.ts';
import type { DecryptPoolOptions } from './crypto/decrypt-pool.ts';
import type { KeyUnwrapper } from './crypto/open-envelope.ts';
import type { Facilities } from './facilities.ts';
import type { FlowDefinition } from './flows/flow-definition.ts';
import type { RefusedAnswer } from './flows/guard-reply.ts';
import type { Route } from './http/router.ts';
import type { Metrics } from './metrics/registry.ts';
import type { StateStore } from './state/state-store.ts';
import type { OpenInboxOptions } from './stores/open-inbox.ts';
import type { OpenStateOptions } from './stores/open-state.ts';
import type { TenantProvider } from './tenants/lookup.ts';
import type { Tenancy } from './tenants/tenancy.ts';
import type { Tracing } from './tracing/tracing.ts';
import type { Handlers } from './webhooks/handlers.ts';
import type { Inbox } from './webhooks/inbox.ts';

/** What the service reads of an app. */
export interface AppDefinition {
  readonly flows: ReadonlyMap<string, FlowDefinition>;
  readonly handlers: Handlers;
  readonly settings: SettingOverrides;
  /** Credentials of the businesses in paths like `/flows/booking/acme`; undefined: there are none. */
  readonly tenants: TenantProvider | undefined;
  /** What the app reaches outside its handlers, while it runs. */
  readonly running: RunningFacilities;
}

/** Of the host that was opened last. */
export interface RunningFacilities {
  current: Facilities | undefined;
}

export interface HostParts {
  readonly settings?: Settings;
  readonly clock?: Clock;
  readonly log?: Logger;
  /** Decrypts in place of the worker pool: how a bench compares other ways to do it. */
  readonly startDecryption?: (options: DecryptPoolOptions) => Promise<KeyUnwrapper>;
  /** Keeps events in place of the settings' store: a test's own is in memory. */
  readonly openInbox?: (options: OpenInboxOptions) => Promise<Inbox>;
  /** Keeps sessions and tokens in place of the settings' store. */
  readonly openState?: (options: OpenStateOptions) => Promise<StateStore>;
  /** Told of every answer that does not fit its Flow JSON. */
  readonly onViolations?: (refused: RefusedAnswer) => void;
  /** Told of what a handler threw, message and all. */
  readonly onHandlerFailed?: (requestId: string, error: unknown) => void;
  /** Stands between the service and its tracer, where there is one. */
  readonly wrapTracing?: (tracing: Tracing | undefined) => Tracing;
  /** More of them on the admin port. */
  readonly findAdminRoute?: (path: string) => Route | undefined;
}

export interface Shared extends Config {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly tracing: Tracing | undefined;
}

/** What both halves keep things in, and where they learn whose those are. */
export interface Kept {
  readonly inbox: Inbox;
  readonly facilities: Facilities;
  readonly tenancy: Tenancy;
}
