/** What became of each request of a burst. */
import { mistakeIn } from './booking-load.ts';
import type { Ticket, TicketOwner } from './connection-pool.ts';
import type { ResponseParser } from './response-parser.ts';
import { Durations } from './statistics.ts';

/** From the moment a request is due to its answer: two seconds before Meta gives up. */
export const DEADLINE_MS = 8_000;

/** Counts each request once, by how it ended. */
export class BurstTally implements TicketOwner {
  /** Answers that were right and in time. */
  readonly accepted = new Durations();
  /** Those of them that came before the burst was over. */
  good = 0;
  /** Refused with 503. */
  shed = 0;
  /** Right, but after the deadline. */
  late = 0;
  /** Anything else: another status, a lost connection, no answer. */
  failures = 0;
  firstFailure: string | undefined;
  /** An answer that decrypted to something else: then no figure counts. */
  mistake: string | undefined;
  #isOver = false;

  answered({ request }: Ticket, response: Pick<ResponseParser, 'status' | 'body'>, latencyMs: number): void {
    if (response.status === 503) {
      this.shed += 1;
      return;
    }
    const mistake = mistakeIn(response.status, () => response.body(), request);
    if (mistake === undefined) this.#accept(latencyMs);
    else if (response.status === 200) this.mistake ??= mistake;
    else this.#fail(mistake);
  }

  failed(_: Ticket, reason: string): void {
    this.#fail(reason);
  }

  /** What is answered from here on is no goodput of the burst: the server took extra time for it. */
  end(): void {
    this.#isOver = true;
  }

  #accept(latencyMs: number): void {
    if (latencyMs > DEADLINE_MS) {
      this.late += 1;
      return;
    }
    this.accepted.add(latencyMs);
    if (!this.#isOver) this.good += 1;
  }

  #fail(reason: string): void {
    this.failures += 1;
    this.firstFailure ??= reason;
  }
}
