/**
 * Media at the Graph API: where to download what a user sent, and uploading what is to be sent.
 *
 * Source: Meta, "Media" of the Cloud API.
 */
import { type JsonObject, type JsonValue, nonEmptyString } from '../json.ts';
import { callGraph } from './call.ts';
import type { GraphEndpoint } from './endpoint.ts';
import type { GraphAction } from './graph-error.ts';
import { required } from './messages.ts';

/** Meta's limit for a document. */
const MAX_DOCUMENT_BYTES = 100 * 1024 * 1024;

const OF_MEDIA = { isRepeatable: true, about: 'media' };
const UPLOAD: GraphAction = { label: 'upload the document', wants: 'an id', isRepeatable: true, about: 'number' };
const LOOK_UP: GraphAction = { label: 'look up the media', wants: 'a URL, a type, a hash and a size', ...OF_MEDIA };

export interface MediaInfo {
  /** For 5 minutes, and only with the access token. Its host is whatever Meta says: check it before the token goes there. */
  readonly url: string;
  /** The header `Authorization` of the download: a secret. */
  readonly authorization: string;
  /** As Meta was told by the sender. */
  readonly mimeType: string;
  /** Of the file, as Meta writes it: hex or base64. */
  readonly sha256: string;
  readonly sizeBytes: number;
}

export interface OutgoingDocument {
  readonly data: Uint8Array;
  /** With its extension: the client picks the icon by it. */
  readonly filename: string;
  readonly mimeType: string;
  readonly caption?: string | undefined;
}

/** Media ids of a webhook live 7 days. @throws TypeError for an id that would be another path. */
export function mediaLookup(mediaId: string, phoneNumberId: string, signal: AbortSignal | undefined) {
  if (typeof mediaId !== 'string' || !/^[\w-]{1,128}$/.test(mediaId)) {
    throw new TypeError('mediaId must be the id that a webhook told, of letters, digits, _ and -');
  }
  const path = `${mediaId}?phone_number_id=${phoneNumberId}`;
  return (endpoint: GraphEndpoint) =>
    callGraph(endpoint, { action: LOOK_UP, path, signal, read: (reply) => mediaInfoOf(reply, endpoint) });
}

/** @throws TypeError for what Meta would not take. @returns a call to the media id, good for 30 days. */
export function documentUpload(
  { data, filename, mimeType }: OutgoingDocument,
  phoneNumberId: string,
  signal: AbortSignal | undefined,
) {
  if (data.byteLength === 0 || data.byteLength > MAX_DOCUMENT_BYTES) {
    throw new TypeError('a document has at least 1 byte and at most 100 MB');
  }
  const body = new FormData();
  body.append('messaging_product', 'whatsapp');
  body.append('type', required('mimeType', mimeType));
  body.append('file', new Blob([data], { type: mimeType }), required('filename', filename));
  const read = (reply: JsonObject) => nonEmptyString(reply['id']);
  const path = `${phoneNumberId}/media`;
  return (endpoint: GraphEndpoint) => callGraph(endpoint, { action: UPLOAD, path, body, signal, read });
}

function mediaInfoOf(reply: JsonObject, { url: graphUrl, token }: GraphEndpoint): MediaInfo | undefined {
  const url = downloadUrl(reply['url'], graphUrl);
  const mimeType = nonEmptyString(reply['mime_type']);
  const sha256 = nonEmptyString(reply['sha256']);
  const sizeBytes = sizeOf(reply['file_size']);
  if (!url || mimeType === undefined || sha256 === undefined || sizeBytes === undefined) return undefined;
  return { url, authorization: `Bearer ${token}`, mimeType, sha256, sizeBytes };
}

/** The token goes there: not in the clear, unless the Graph API itself is asked so, as in tests. */
function downloadUrl(value: JsonValue | undefined, graphUrl: string): string | undefined {
  if (typeof value !== 'string' || !URL.canParse(value)) return undefined;
  const { protocol } = new URL(value);
  return protocol === 'https:' || protocol === new URL(graphUrl).protocol ? value : undefined;
}

/** Meta's reference has it as text, too. */
function sizeOf(value: JsonValue | undefined): number | undefined {
  const bytes = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;
  return typeof bytes === 'number' && Number.isSafeInteger(bytes) && bytes >= 0 ? bytes : undefined;
}
