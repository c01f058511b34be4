/** The files of one handler: a scope that is made when it first asks for one, and none once it has ended. */
import { unavailable } from './media-error.ts';
import type { MediaScope } from './scope.ts';

export interface ScopeMaker {
  readonly media: { scope(signal: AbortSignal): MediaScope };
}

export class HandlerMedia {
  readonly #facilities: ScopeMaker;
  readonly #handler: { readonly signal: AbortSignal };
  #scope: MediaScope | undefined;
  #isClosed = false;

  /** @param handler asked for its signal with the first file: most have none, and a signal costs more than this. */
  constructor(facilities: ScopeMaker, handler: { readonly signal: AbortSignal }) {
    this.#facilities = facilities;
    this.#handler = handler;
  }

  /** @throws FlowgateError `MEDIA_UNAVAILABLE` once it is closed: nobody would remove the file. */
  open(): MediaScope {
    if (this.#isClosed) throw unavailable('the handler of the file has ended');
    this.#scope ??= this.#facilities.media.scope(this.#handler.signal);
    return this.#scope;
  }

  /** Lets go of what was downloaded, and opens no more. @returns undefined where there is nothing to wait for. */
  close(): PromiseLike<void> | undefined {
    this.#isClosed = true;
    return this.#scope?.[Symbol.asyncDispose]();
  }
}
