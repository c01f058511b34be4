/** From what a file is known by, to what its download needs: one form for picked files and for those of webhooks. */
import { type MediaEncryption, sealedBytes } from '../crypto/media.ts';
import type { DownloadOrder } from './download.ts';
import type { MediaLookup } from './graph-media.ts';
import { invalid, tooLarge } from './media-error.ts';
import type { PickedFile } from './picked.ts';
import type { ReceivedFile } from './received.ts';

export interface SourceOrder extends DownloadOrder {
  readonly encryption: MediaEncryption | undefined;
  /** Each is the SHA-256 of the content; there is at least one. */
  readonly hashes: readonly Buffer[];
}

export interface MediaSource {
  /** The link dies within minutes: one that is gone is worth asking for again. */
  readonly isRenewable: boolean;
  order(signal: AbortSignal): Promise<SourceOrder>;
}

/** @param maxBytes of the content; the CDN's file has up to 26 more. */
export function pickedSource({ cdnUrl, encryption }: PickedFile, maxBytes: number): MediaSource {
  const hashes = [encryption.plaintextHash];
  const order = { url: cdnUrl, maxBytes: sealedBytes(maxBytes), encryption, hashes };
  return { isRenewable: false, order: async () => order };
}

export function receivedSource({ mediaId, sha256 }: ReceivedFile, lookup: MediaLookup, maxBytes: number): MediaSource {
  return {
    isRenewable: true,
    async order(signal) {
      const { url, authorization, sizeBytes, ...found } = await lookup.find(mediaId, signal);
      const hashes = [sha256, found.sha256].filter((hash) => hash !== undefined);
      if (hashes.length === 0) throw invalid('nobody tells the hash of the file, so it cannot be checked');
      if (sizeBytes > maxBytes) throw tooLarge();
      return { url, authorization, maxBytes, encryption: undefined, hashes };
    },
  };
}
