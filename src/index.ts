/** What users import. */
export { type App, type AppOptions, createApp } from './app.ts';
export type { Deadline } from './clock.ts';
export type { SettingName, SettingOverrides } from './config/settings.ts';
export { type ErrorCode, FlowgateError, STATUS_BY_CODE } from './errors.ts';
export type { CompletedHandler, CompletedOptions, FlowCompletion } from './flows/completion.ts';
export type { FallbackContext, FlowContext, ScreenData, Sendable } from './flows/context.ts';
export type { FallbackHandler, Flow, FlowHandler, FlowInputHandler, FlowOptions, TokenCheck } from './flows/flow.ts';
export type { AnyScreens, FlowJson, ScreenMap, ScreensOf, ScreenValue } from './flows/flow-json.ts';
export type { FlowAction } from './flows/protocol.ts';
export type { FlowReply } from './flows/reply.ts';
export {
  type FlowInvitation,
  type GraphClient,
  GraphError,
  type OutgoingDocument,
  type Recipient,
  type SendOptions,
  type SentMessage,
} from './graph/client.ts';
export type { JsonObject, JsonValue } from './json.ts';
export type { EventContext, JobContext, Reply } from './webhooks/context.ts';
export type { EventPattern, EventType } from './webhooks/event-types.ts';
export type * from './webhooks/events.ts';
export type { EventFilter, EventHandler } from './webhooks/handlers.ts';
export type { Defer, DeferOptions, Job, JobHandler, JobOptions } from './webhooks/jobs.ts';
export type { LimitOptions, RetryOptions } from './webhooks/limits.ts';
