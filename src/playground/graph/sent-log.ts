/** What was accepted, in order, as long as there is room for it. */
import type { Sent } from '../sent.ts';

/** The oldest go. */
export const MAX_SENT = 200;
/** Of all that is kept, as it was sent: the data of a Flow's first screen may be large. */
export const MAX_SENT_BYTES = 8 * 1024 * 1024;

/** Of each kind, all but what the log itself gives. */
export type NewSent = Sent extends infer S ? (S extends Sent ? Omit<S, 'seq' | 'atMs'> : never) : never;

export class SentLog {
  readonly #epochMs: () => number;
  readonly #entries: { readonly sent: Sent; readonly bytes: number }[] = [];
  #lastSeq = 0;
  #bytes = 0;

  constructor(epochMs: () => number) {
    this.#epochMs = epochMs;
  }

  /** @param bytes of the body that it came in. */
  add(sent: NewSent, bytes: number): void {
    this.#entries.push({ sent: { ...sent, seq: ++this.#lastSeq, atMs: this.#epochMs() }, bytes });
    this.#bytes += bytes;
    while (this.#entries.length > MAX_SENT || this.#bytes > MAX_SENT_BYTES) {
      this.#bytes -= this.#entries.shift()?.bytes ?? 0;
    }
  }

  after(seq: number): readonly Sent[] {
    return this.#entries.map(({ sent }) => sent).filter((sent) => sent.seq > seq);
  }
}
