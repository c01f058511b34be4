/** What one handler may do with media, and the end of all of it when the handler ends. */
import type { JsonValue } from '../json.ts';
import type { MediaMessage } from '../webhooks/events.ts';
import type { DownloadedFile } from './downloaded-file.ts';
import type { MediaLookup } from './graph-media.ts';
import { unavailable } from './media-error.ts';
import { parsePicked } from './picked.ts';
import { parseMessageMedia, parseReceived, type ReceivedFile } from './received.ts';
import { type MediaSource, pickedSource, receivedSource } from './source.ts';

/** A file that is known, and not yet downloaded. */
export interface MediaFile {
  /** What the phone calls it, made harmless: to show, not to store or find it by. */
  readonly name: string | undefined;
  /** Of a picked file, the key for the picker's `error-message`. */
  readonly mediaId: string;
  /**
   * Downloads and checks it. Rejects with `MEDIA_INVALID` when it is not what was described, with `MEDIA_UNAVAILABLE`
   * (a `MediaUnavailableError`) when it cannot be had, with a GraphError, or with the reason of `signal`.
   *
   * @param signal gives up, besides the handler's own deadline.
   */
  download(signal?: AbortSignal): Promise<DownloadedFile>;
}

/** Disposing of it gives up what is under way and disposes of every file that came of it. */
export interface MediaScope extends AsyncDisposable {
  /** @param value of a picker in a `data_exchange`; none for a picker left alone. @throws `MEDIA_INVALID` for another value. */
  picked(value: JsonValue | undefined): MediaFile[];
  /** @param value of a picker in the response of a completed Flow. @throws `MEDIA_INVALID` for another value. */
  received(value: JsonValue | undefined, lookup: MediaLookup): MediaFile[];
  /** @param media of an image, video, audio, document or sticker message. @throws `MEDIA_INVALID` for one without an id. */
  message(media: MediaMessage['media'], lookup: MediaLookup): MediaFile;
}

interface ScopeDeps {
  readonly download: (source: MediaSource, signal: AbortSignal) => Promise<DownloadedFile>;
  readonly maxBytes: number;
  readonly signal: AbortSignal | undefined;
}

export function createScope(deps: ScopeDeps): MediaScope {
  return new Scope(deps);
}

class Scope implements MediaScope {
  readonly #deps: ScopeDeps;
  readonly #end = new AbortController();
  readonly #downloads = new Set<Promise<DownloadedFile>>();

  constructor(deps: ScopeDeps) {
    this.#deps = deps;
  }

  picked(value: JsonValue | undefined): MediaFile[] {
    return parsePicked(value).map((file) => this.#file(file, pickedSource(file, this.#deps.maxBytes)));
  }

  received(value: JsonValue | undefined, lookup: MediaLookup): MediaFile[] {
    return parseReceived(value).map((file) => this.#received(file, lookup));
  }

  message(media: MediaMessage['media'], lookup: MediaLookup): MediaFile {
    return this.#received(parseMessageMedia(media), lookup);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort(unavailable('the handler of the file has ended'));
    const disposals = [...this.#downloads].map(async (download) => (await download)[Symbol.asyncDispose]());
    await Promise.allSettled(disposals);
  }

  #received(file: ReceivedFile, lookup: MediaLookup): MediaFile {
    return this.#file(file, receivedSource(file, lookup, this.#deps.maxBytes));
  }

  #file({ name, mediaId }: Pick<MediaFile, 'name' | 'mediaId'>, source: MediaSource): MediaFile {
    return { name, mediaId, download: (signal) => this.#start(source, signal) };
  }

  #start(source: MediaSource, own: AbortSignal | undefined): Promise<DownloadedFile> {
    const signals = [own, this.#deps.signal, this.#end.signal].filter((signal) => signal !== undefined);
    const download = this.#deps.download(source, AbortSignal.any(signals));
    this.#downloads.add(download);
    download.catch(() => this.#downloads.delete(download)); // there is nothing of it to dispose of
    return download;
  }
}
