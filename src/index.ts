/** What users import. */
export { type App, type AppOptions, type AppTokens, createApp } from './app.ts';
export type { Cache, CacheOptions } from './cache/cache.ts';
export type { Deadline } from './clock.ts';
export type { SettingName, SettingOverrides } from './config/settings.ts';
export type { Duration } from './duration.ts';
export { type ErrorCode, FlowgateError, STATUS_BY_CODE } from './errors.ts';
export type { CompletedHandler, CompletedOptions, FlowCompletion } from './flows/completion.ts';
export type { FallbackContext, FlowContext, ScreenData, Sendable } from './flows/context.ts';
export type {
  FallbackHandler,
  Flow,
  FlowHandler,
  FlowInputHandler,
  FlowOptions,
  SubmitOptions,
  TokenCheck,
} from './flows/flow.ts';
export type {
  AnyMoves,
  AnyScreens,
  FlowJson,
  MoveMap,
  MovesOf,
  ScreenMap,
  ScreensOf,
  ScreenValue,
} from './flows/flow-json.ts';
export { type PageOptions, pageOf, paginate } from './flows/paginate.ts';
export type { FlowAction } from './flows/protocol.ts';
export type { FlowReply } from './flows/reply.ts';
export {
  createGraphClient,
  type FlowCard,
  type FlowInvitation,
  type GraphClient,
  GraphError,
  type GraphOptions,
  type OutgoingDocument,
  type ReadOptions,
  type Recipient,
  type SendOptions,
  type SentMessage,
  type TemplateMessage,
} from './graph/client.ts';
export * from './graph/flows.ts';
export type { JsonObject, JsonValue } from './json.ts';
export type { DownloadedFile } from './media/downloaded-file.ts';
export { MediaUnavailableError } from './media/media-error.ts';
export type { MediaFile } from './media/scope.ts';
export type { Session } from './sessions/session.ts';
export type { FlowCredentials, TenantCredentials } from './tenants/credentials.ts';
export type { TenantProvider } from './tenants/lookup.ts';
export type { MintOptions } from './tokens/tokens.ts';
export type { CompletedContext, EventContext, InvitedUser, JobContext, Reply } from './webhooks/context.ts';
export type { EventPattern, EventType } from './webhooks/event-types.ts';
export type * from './webhooks/events.ts';
export type { EventFilter, EventHandler } from './webhooks/handlers.ts';
export type { Defer, DeferOptions, Job, JobHandler, JobOptions } from './webhooks/jobs.ts';
export type { LimitOptions, RetryOptions } from './webhooks/limits.ts';
