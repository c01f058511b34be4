/** Files that were picked: on the way to the endpoint they are links and keys, in a completion media ids. */
import { isObject, type JsonObject, type JsonValue, nonEmptyString } from '../../../json.ts';
import type { MediaInfo } from './phone-state.ts';

export function completionMedia(payload: JsonObject, media: ReadonlyMap<string, MediaInfo>): JsonObject {
  return Object.fromEntries(Object.entries(payload).map(([key, value]) => [key, toCompletion(value, media)]));
}

function toCompletion(value: JsonValue, media: ReadonlyMap<string, MediaInfo>): JsonValue {
  if (!Array.isArray(value) || value.length === 0 || !value.every(isMedia)) return value;
  return value.map((file: JsonObject) => {
    const id = String(file['media_id']);
    return { ...(media.get(id) ?? { file_name: String(file['file_name'] ?? '') }), id };
  });
}

export function isMedia(value: unknown): value is JsonObject {
  return isObject(value) && nonEmptyString(value['media_id']) !== undefined && isObject(value['encryption_metadata']);
}
