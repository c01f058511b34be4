/** Validates a payload by the author's schema, and words what is wrong for the person who typed it. */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { JsonObject } from '../json.ts';

export type InputResult =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly message: string; readonly fields: Readonly<Record<string, string>> };

/** A snackbar shows about two lines. */
const MAX_MESSAGE_CHARS = 200;

export async function validateInput(schema: StandardSchemaV1, data: JsonObject): Promise<InputResult> {
  const result = await schema['~standard'].validate(data);
  if (!result.issues) return { ok: true, value: result.value };
  const fields: Record<string, string> = Object.create(null);
  const sentences: string[] = [];
  for (const { path, message } of result.issues) {
    const field = path?.map(segmentName).join('.') ?? '';
    const sentence = field === '' ? message : `${label(field)}: ${message}`;
    if (!sentences.includes(sentence)) sentences.push(sentence);
    const formField = path?.[0] === undefined ? '' : segmentName(path[0]);
    if (formField !== '') fields[formField] ??= message;
  }
  return { ok: false, message: shorten(sentences.join('. ')), fields: { ...fields } };
}

function segmentName(segment: PropertyKey | StandardSchemaV1.PathSegment): string {
  return String(typeof segment === 'object' ? segment.key : segment);
}

/** `first_name` reads `First name`. */
function label(field: string): string {
  const words = field.replaceAll(/[_-]+/g, ' ').trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function shorten(text: string): string {
  return text.length <= MAX_MESSAGE_CHARS ? text : `${text.slice(0, MAX_MESSAGE_CHARS - 1)}…`;
}
