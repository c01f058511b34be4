/** A picked file on its way to the server's CDN. */
import type { MediaReport } from '../../api.ts';
import type { MediaInfo } from '../flow/phone-state.ts';
import { toBase64 } from '../wire/base64.ts';

export interface Uploads {
  media(file: File): Promise<MediaReport>;
}

/** Also computes what a completion tells of the file. */
export async function upload(file: File, uploads: Uploads): Promise<{ media: MediaReport; info: MediaInfo }> {
  const media = await uploads.media(file);
  const digest = await crypto.subtle.digest('SHA-256', await file.arrayBuffer());
  const info = {
    file_name: file.name,
    mime_type: file.type === '' ? 'application/octet-stream' : file.type,
    sha256: toBase64(new Uint8Array(digest)),
  };
  return { media, info };
}
