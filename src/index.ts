/** What users import. */
export { type App, type AppOptions, createApp } from './app.ts';
export type { SettingName, SettingOverrides } from './config/settings.ts';
export { type ErrorCode, FlowgateError, STATUS_BY_CODE } from './errors.ts';
export type { Deadline, FallbackContext, FlowContext, ScreenData, Sendable } from './flows/context.ts';
export type { FallbackHandler, Flow, FlowHandler, FlowInputHandler, FlowOptions, TokenCheck } from './flows/flow.ts';
export type { AnyScreens, FlowJson, ScreenMap, ScreensOf, ScreenValue } from './flows/flow-json.ts';
export type { FlowAction, JsonObject, JsonValue } from './flows/protocol.ts';
export type { FlowReply } from './flows/reply.ts';
