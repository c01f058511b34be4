/** The value of a PhotoPicker or DocumentPicker in the payload of a `data_exchange`: written by the phone, so not trusted. */
import { MEDIA_HASH_BYTES, MEDIA_IV_BYTES, MEDIA_KEY_BYTES, type MediaEncryption } from '../crypto/media.ts';
import { isObject, type JsonObject, type JsonValue } from '../json.ts';
import { decodeBase64 } from './base64.ts';
import { safeName } from './file-name.ts';
import { invalid } from './media-error.ts';

/** Meta's limit for one picker. */
export const MAX_FILES = 30;
const MAX_URL_CHARS = 4_096;
const MAX_ID_CHARS = 256;

export interface PickedFile {
  readonly mediaId: string;
  /** A hint for people; undefined where the phone gave none that can be shown. */
  readonly name: string | undefined;
  /** A URL; whether it may be called is the downloader's to say. */
  readonly cdnUrl: string;
  readonly encryption: MediaEncryption;
}

/**
 * Keys beyond those that are documented may come along.
 *
 * @returns as many as were picked: none where the picker was left alone.
 * @throws `MEDIA_INVALID` for what no picker sends.
 */
export function parsePicked(value: JsonValue | undefined): PickedFile[] {
  return entriesOf(value).map(parseEntry);
}

/** @throws `MEDIA_INVALID` for what is no list of at most 30 objects. */
export function entriesOf(value: JsonValue | undefined): readonly JsonObject[] {
  if (value === undefined || value === null || value === '') return [];
  const list: readonly JsonValue[] | undefined = Array.isArray(value) ? value : undefined;
  if (!list?.every(isObject)) throw invalid('this is not the value of a picker: a list of files is expected');
  if (list.length > MAX_FILES) throw invalid(`a picker has at most ${MAX_FILES} files`);
  return list;
}

/** @throws `MEDIA_INVALID`, which names the key: never its value. */
export function parseId(entry: JsonObject, key: string): string {
  const id = entry[key];
  if (typeof id !== 'string' || id === '' || id.length > MAX_ID_CHARS) throw malformed(key);
  return id;
}

export function malformed(key: string): Error {
  return invalid(`a file of the picker has no valid ${key}`);
}

function parseEntry(entry: JsonObject): PickedFile {
  const cdnUrl = entry['cdn_url'];
  if (typeof cdnUrl !== 'string' || cdnUrl.length > MAX_URL_CHARS || !URL.canParse(cdnUrl)) throw malformed('cdn_url');
  const metadata = entry['encryption_metadata'];
  if (!isObject(metadata)) throw malformed('encryption_metadata');
  return {
    mediaId: parseId(entry, 'media_id'),
    name: safeName(entry['file_name']),
    cdnUrl,
    encryption: parseEncryption(metadata),
  };
}

function parseEncryption(metadata: JsonObject): MediaEncryption {
  const bytes = (key: string, byteLength: number) => {
    const decoded = decodeBase64(metadata[key], byteLength);
    if (!decoded) throw malformed(key);
    return decoded;
  };
  return {
    encryptionKey: bytes('encryption_key', MEDIA_KEY_BYTES),
    hmacKey: bytes('hmac_key', MEDIA_KEY_BYTES),
    iv: bytes('iv', MEDIA_IV_BYTES),
    encryptedHash: bytes('encrypted_hash', MEDIA_HASH_BYTES),
    plaintextHash: bytes('plaintext_hash', MEDIA_HASH_BYTES),
  };
}
