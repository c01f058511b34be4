/** What a file is, by its bytes: the type and name that a phone gives are not looked at. */

/** Enough for every format that is known by its beginning; an Office document whose list of parts comes late is a ZIP. */
export const HEAD_BYTES = 64 * 1024;

export interface FileKind {
  /** `application/octet-stream` for what is not known, plain text among it. */
  readonly mimeType: string;
  /** Without a dot; `bin` for what is not known. */
  readonly extension: string;
}

const UNKNOWN: FileKind = { mimeType: 'application/octet-stream', extension: 'bin' };

/** @param head the file's first `HEAD_BYTES`, or all of it. Never rejects for what is in them. */
export async function sniff(head: Buffer): Promise<FileKind> {
  const { fileTypeFromBuffer } = await import('file-type'); // 8 ms, for those who download files
  const found = await fileTypeFromBuffer(head).catch(() => undefined);
  return found ? { mimeType: found.mime, extension: found.ext } : UNKNOWN;
}
