/**
 * Where the Graph API keeps a file that a webhook names by its id.
 *
 * The link it gives lives 5 minutes and opens only with the access token; the id lives 7 days.
 * Source: Meta, "Media" of the Cloud API.
 */
import type { MediaInfo } from '../graph/media.ts';
import { decodeSha256 } from './base64.ts';

export interface FoundMedia {
  readonly url: string;
  /** The header that the link wants: `Bearer ...`. */
  readonly authorization: string;
  readonly sha256: Buffer | undefined;
  readonly sizeBytes: number;
}

/** What a download by id needs of the Graph API. */
export interface MediaLookup {
  /** @param mediaId letters, digits, `_` and `-`. Rejects with a GraphError, or the reason of `signal`. */
  find(mediaId: string, signal: AbortSignal): Promise<FoundMedia>;
}

/** A GraphClient, as far as it takes. */
export interface MediaInfoSource {
  mediaInfo(mediaId: string, signal?: AbortSignal): Promise<MediaInfo>;
}

export function graphMedia(client: MediaInfoSource): MediaLookup {
  return {
    async find(mediaId, signal) {
      const { url, authorization, sha256, sizeBytes } = await client.mediaInfo(mediaId, signal);
      return { url, authorization, sha256: decodeSha256(sha256), sizeBytes };
    },
  };
}
