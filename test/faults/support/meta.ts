/** Meta's part: several deliveries at a time, and each event again, in other company, until it was answered 200. */
import { vi } from 'vitest';
import { type MetaEvent, type Phone, textMessage } from '../../../src/testing/index.ts';
import { GIVE_UP } from './give-up.ts';
import type { Random } from './random.ts';

const SENDERS = 8;
const MAX_BATCH = 20;
/** Of the events in a batch, so many were answered before, and so many were not. */
const REPEATED = 0.1;
const RETRIED = 0.5;
const REMEMBERED = 200;

export class Meta {
  /** Ids of messages in deliveries that were answered 200. */
  readonly acknowledged = new Set<string>();
  /** Sent, perhaps several times, and never answered 200. */
  readonly #unanswered: MetaEvent[] = [];
  readonly #answered: MetaEvent[] = [];
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Ids of messages that were sent and not acknowledged; exact while nothing is under way. */
  get unanswered(): string[] {
    return this.#unanswered.map(messageIdOf);
  }

  /**
   * Delivers events, new ones and others, until `isOver`; rejects when the server is gone before.
   * @param onAnswer is told the status of each answer, and of how many answers of that status it is the last.
   */
  async pour(phone: Phone, isOver: () => boolean, onAnswer: (status: number, count: number) => void): Promise<void> {
    const counts = new Map<number, number>();
    const send = async () => {
      while (!isOver()) {
        const status = await this.#deliver(phone, this.#nextBatch()).catch((error: unknown) => {
          if (!isOver()) throw error;
        });
        if (status === undefined) return;
        const count = (counts.get(status) ?? 0) + 1;
        counts.set(status, count);
        onAnswer(status, count);
      }
    };
    await Promise.all(Array.from({ length: SENDERS }, send));
  }

  /** Delivers what was never acknowledged, until all of it is. */
  async finish(phone: Phone): Promise<void> {
    while (this.#unanswered.length > 0) {
      const batch = this.#unanswered.splice(0, MAX_BATCH);
      await vi.waitFor(() => phone.deliver(batch), GIVE_UP);
      this.#note(batch);
    }
  }

  /** @returns the status of the answer; rejects when there is none. */
  async #deliver(phone: Phone, batch: readonly MetaEvent[]): Promise<number> {
    let status: number | undefined;
    try {
      [status] = (await phone.deliverRaw(batch)).map((reply) => reply.status);
      return status ?? 0;
    } finally {
      if (status === 200) this.#note(batch);
      else this.#unanswered.push(...batch.filter((event) => !this.acknowledged.has(messageIdOf(event))));
    }
  }

  #note(batch: readonly MetaEvent[]): void {
    for (const event of batch) this.acknowledged.add(messageIdOf(event));
    this.#answered.push(...batch);
    this.#answered.splice(0, this.#answered.length - REMEMBERED);
  }

  #nextBatch(): MetaEvent[] {
    return Array.from({ length: this.#random.int(1, MAX_BATCH) }, () => this.#nextEvent());
  }

  #nextEvent(): MetaEvent {
    if (this.#answered.length > 0 && this.#random.chance(REPEATED)) return this.#random.take(this.#answered);
    if (this.#unanswered.length > 0 && this.#random.chance(RETRIED)) return this.#random.take(this.#unanswered);
    return textMessage('hello');
  }
}

export function messageIdOf(event: MetaEvent): string {
  if (event.kind !== 'messages') throw new TypeError('not a message');
  return event.item['id'] as string;
}
