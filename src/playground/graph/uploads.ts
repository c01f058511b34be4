/** Documents on their way to a user: of each is kept what a bubble shows, and not the file. */
import { createHash } from 'node:crypto';
import { setLast } from '../../last-used.ts';
import { invalid } from './graph-refusal.ts';

/** The oldest go. */
export const MAX_UPLOADS = 200;
/** Meta's limit for a document. */
export const MAX_DOCUMENT_BYTES = 100 * 1024 * 1024;
/** A document, and what stands around it in the form. */
export const MAX_FORM_BYTES = MAX_DOCUMENT_BYTES + 64 * 1024;

export interface Upload {
  readonly filename: string;
  readonly mimeType: string;
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
}

export class Uploads {
  readonly #uploads = new Map<string, Upload>();
  readonly #newId: () => string;

  constructor(newId: () => string) {
    this.#newId = newId;
  }

  find(id: string): Upload | undefined {
    return this.#uploads.get(id);
  }

  /** @returns the media id. Rejects with a GraphRefusal. */
  async add(contentType: string, body: Buffer): Promise<string> {
    const upload = await readUpload(contentType, body);
    const id = this.#newId();
    setLast(this.#uploads, id, upload, MAX_UPLOADS);
    return id;
  }
}

async function readUpload(contentType: string, body: Buffer): Promise<Upload> {
  const form = await readForm(contentType, body);
  const file = form.get('file');
  if (form.get('messaging_product') !== 'whatsapp') throw invalid('messaging_product', 'whatsapp');
  if (file === null || typeof file === 'string') throw invalid('file', 'a file with its name');
  if (file.type === '' || file.type !== form.get('type')) throw invalid('type', 'the type of the file');
  if (file.size === 0 || file.size > MAX_DOCUMENT_BYTES) throw invalid('file', 'of 1 byte to 100 MB');
  const bytes = Buffer.from(await file.arrayBuffer());
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { filename: file.name, mimeType: file.type, bytes: bytes.length, sha256 };
}

function readForm(contentType: string, body: Buffer): Promise<FormData> {
  const response = new Response(new Uint8Array(body), { headers: { 'Content-Type': contentType } });
  return response.formData().catch(() => {
    throw invalid('the body', 'a form of the type multipart/form-data');
  });
}
