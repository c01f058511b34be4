/** Files that a webhook names by their id: those of a completed Flow, and that of an image or document message. */
import type { JsonObject, JsonValue } from '../json.ts';
import type { MediaMessage } from '../webhooks/events.ts';
import { decodeSha256 } from './base64.ts';
import { safeName } from './file-name.ts';
import { entriesOf, malformed, parseId } from './picked.ts';

export interface ReceivedFile {
  /** For the Graph API, good for 7 days. Up to 128 letters, digits, `_` and `-`: it becomes a part of a URL. */
  readonly mediaId: string;
  readonly name: string | undefined;
  readonly sha256: Buffer | undefined;
}

/**
 * The value of a picker among the parameters of a Flow that ended with `complete`.
 * @throws `MEDIA_INVALID` for what no such Flow sends.
 */
export function parseReceived(value: JsonValue | undefined): ReceivedFile[] {
  return entriesOf(value).map(parseEntry);
}

/** @throws `MEDIA_INVALID` for a message without the id of its file. */
export function parseMessageMedia({ id, sha256, filename }: MediaMessage['media']): ReceivedFile {
  return parseEntry({
    ...(id !== undefined && { id }),
    ...(sha256 !== undefined && { sha256 }),
    ...(filename !== undefined && { file_name: filename }),
  });
}

function parseEntry(entry: JsonObject): ReceivedFile {
  const mediaId = parseId(entry, 'id');
  if (!/^[\w-]{1,128}$/.test(mediaId)) throw malformed('id');
  const sha256 = decodeSha256(entry['sha256']);
  if (entry['sha256'] !== undefined && !sha256) throw malformed('sha256');
  return { mediaId, name: safeName(entry['file_name']), sha256 };
}
