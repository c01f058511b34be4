/** Media at the stand-in for the Graph API: takes documents, and gives back the files that were picked in a Flow. */
import { createHash } from 'node:crypto';
import type { JsonObject } from '../../json.ts';
import { unknownMedia, unknownPath } from './graph-refusal.ts';
import { type Upload, Uploads } from './uploads.ts';

export interface MediaDeps {
  readonly origin: string;
  readonly openPicked: (mediaId: string) => Buffer | undefined;
  readonly randomBytes: (size: number) => Buffer;
}

const DOWNLOADS = '/files/';

export class MediaFiles {
  readonly #deps: MediaDeps;
  readonly #uploads: Uploads;

  constructor(deps: MediaDeps) {
    this.#deps = deps;
    this.#uploads = new Uploads(() => deps.randomBytes(7).readUIntBE(0, 6).toString());
  }

  findUpload(id: string): Upload | undefined {
    return this.#uploads.find(id);
  }

  async upload(contentType: string, body: Buffer): Promise<JsonObject> {
    return { id: await this.#uploads.add(contentType, body) };
  }

  /** @throws GraphRefusal for an id of nothing. */
  lookUp(id: string): JsonObject {
    const found = this.#uploads.find(id) ?? this.#picked(id);
    if (!found) throw unknownMedia();
    const { mimeType: mime_type, sha256, bytes: file_size } = found;
    return { messaging_product: 'whatsapp', id, url: this.#deps.origin + DOWNLOADS + id, mime_type, sha256, file_size };
  }

  /** Of uploads no file is kept. @throws GraphRefusal. */
  download(path: string): Buffer {
    const file = path.startsWith(DOWNLOADS) ? this.#deps.openPicked(path.slice(DOWNLOADS.length)) : undefined;
    if (!file) throw unknownPath();
    return file;
  }

  #picked(id: string): Omit<Upload, 'filename'> | undefined {
    const file = this.#deps.openPicked(id);
    const mimeType = 'application/octet-stream'; // a picked file brings none
    return file && { mimeType, bytes: file.length, sha256: createHash('sha256').update(file).digest('hex') };
  }
}
