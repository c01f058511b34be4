/**
 * What the Graph API tells of a Flow. Pure: from replies as they come, where a field that is missing or of another type
 * is undefined, and a word that Meta does not document is `UNKNOWN`.
 *
 * Source: Meta, "Flows API".
 */
import { isObject, type JsonObject, type JsonValue, nonEmptyString } from '../json.ts';

export const FLOW_STATUSES = ['DRAFT', 'PUBLISHED', 'DEPRECATED', 'BLOCKED', 'THROTTLED', 'UNKNOWN'] as const;
export type FlowStatus = (typeof FLOW_STATUSES)[number];

/** Lines and columns of the Flow JSON, from 1. */
export interface FlowJsonPlace {
  readonly lineStart: number | undefined;
  readonly lineEnd: number | undefined;
  readonly columnStart: number | undefined;
  readonly columnEnd: number | undefined;
}

/** Why the Flow JSON cannot be published as it is. */
export interface FlowValidationError extends FlowJsonPlace {
  /** `INVALID_PROPERTY_VALUE`. */
  readonly error: string;
  /** `FLOW_JSON_ERROR`. */
  readonly errorType: string | undefined;
  /** For whoever writes the Flow JSON: it quotes from there. */
  readonly message: string;
  /** Each with its path, `screens[0].layout.children[0].type`. */
  readonly pointers: readonly (FlowJsonPlace & { readonly path: string | undefined })[];
}

/** What keeps messages with the Flow from being sent. */
export interface FlowProblem {
  /** `FLOW`, `WABA`, `BUSINESS`, `APP`. */
  readonly entityType: string | undefined;
  readonly errorCode: number | undefined;
  readonly description: string | undefined;
  readonly solution: string | undefined;
}

export interface FlowHealth {
  /** `AVAILABLE`, `LIMITED`, `BLOCKED`. */
  readonly canSendMessage: string;
  readonly problems: readonly FlowProblem[];
}

export interface FlowInfo {
  readonly flowId: string;
  readonly name: string;
  readonly status: FlowStatus;
  readonly categories: readonly string[];
  readonly jsonVersion: string | undefined;
  readonly dataApiVersion: string | undefined;
  readonly endpointUri: string | undefined;
  /** The Meta app whose secret signs the requests of this Flow. */
  readonly applicationId: string | undefined;
  readonly validationErrors: readonly FlowValidationError[];
  readonly health: FlowHealth | undefined;
}

export const FLOW_FIELDS =
  'id,name,status,categories,validation_errors,json_version,data_api_version,endpoint_uri,application,health_status';

/** @returns undefined for what is no Flow. */
export function flowInfoOf(reply: JsonObject): FlowInfo | undefined {
  const flowId = nonEmptyString(reply['id']);
  const name = nonEmptyString(reply['name']);
  if (flowId === undefined || name === undefined) return undefined;
  const { application } = reply;
  return {
    flowId,
    name,
    status: FLOW_STATUSES.find((known) => known === reply['status']) ?? 'UNKNOWN',
    categories: listOf(reply['categories']).filter((category) => typeof category === 'string'),
    jsonVersion: nonEmptyString(reply['json_version']),
    dataApiVersion: nonEmptyString(reply['data_api_version']),
    endpointUri: nonEmptyString(reply['endpoint_uri']),
    applicationId: isObject(application) ? nonEmptyString(application['id']) : undefined,
    validationErrors: validationErrorsOf(reply),
    health: healthOf(reply['health_status']),
  };
}

/** None when Meta tells none. One that is a text, or of another form, is still one. */
export function validationErrorsOf({ validation_errors }: JsonObject): readonly FlowValidationError[] {
  return listOf(validation_errors).map((entry) => {
    const fields = isObject(entry) ? entry : { message: entry };
    return {
      error: nonEmptyString(fields['error']) ?? 'UNKNOWN',
      errorType: nonEmptyString(fields['error_type']),
      message: nonEmptyString(fields['message']) ?? '',
      ...placeOf(fields),
      pointers: objectsIn(fields['pointers']).map((pointer) => ({
        path: nonEmptyString(pointer['path']),
        ...placeOf(pointer),
      })),
    };
  });
}

function placeOf(fields: JsonObject): FlowJsonPlace {
  return {
    lineStart: integer(fields['line_start']),
    lineEnd: integer(fields['line_end']),
    columnStart: integer(fields['column_start']),
    columnEnd: integer(fields['column_end']),
  };
}

function healthOf(value: JsonValue | undefined): FlowHealth | undefined {
  if (!isObject(value)) return undefined;
  const problems = objectsIn(value['entities']).flatMap((entity) =>
    objectsIn(entity['errors']).map((error) => ({
      entityType: nonEmptyString(entity['entity_type']),
      errorCode: integer(error['error_code']),
      description: nonEmptyString(error['error_description']),
      solution: nonEmptyString(error['possible_solution']),
    })),
  );
  return { canSendMessage: nonEmptyString(value['can_send_message']) ?? 'UNKNOWN', problems };
}

function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? value : [];
}

function objectsIn(value: JsonValue | undefined): readonly JsonObject[] {
  return listOf(value).filter(isObject);
}

function integer(value: JsonValue | undefined): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : undefined;
}
