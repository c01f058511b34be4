/** Sends requests, and keeps what becomes of each for the inspector. */
import type { JsonObject } from '../../../json.ts';
import type { Outcome } from '../flow/phone-state.ts';
import { type Timing, type Transport, WireClient } from '../wire/client.ts';
import { MAX_RECORDS, NO_TRACE, type Recorded } from './records.ts';
import type { SessionState } from './session-state.ts';
import type { Store } from './store.ts';

export class Recorder {
  readonly #store: Store<SessionState>;
  readonly #timing: Timing;
  readonly #wire: WireClient;

  constructor(store: Store<SessionState>, transport: Transport, timing: Timing) {
    this.#store = store;
    this.#timing = timing;
    this.#wire = new WireClient(transport, timing);
  }

  async send(
    kind: Recorded['kind'],
    request: JsonObject,
    flow = this.#store.value.phone.flow.name,
  ): Promise<{ outcome: Outcome; recordId: number }> {
    const { nextId: id, records, conditions } = this.#store.value;
    const startMs = this.#timing.now();
    const record = { id, flow, kind, startMs, endMs: undefined, request, trace: NO_TRACE, verdict: undefined };
    this.#store.update({ records: [...records, record].slice(-MAX_RECORDS), nextId: id + 1 });
    const outcome = await this.#wire.send(flow, request, conditions, (trace) => {
      this.note(id, { trace, ...(trace.isLate && { endMs: this.#timing.now() }) });
    });
    this.note(id, { endMs: this.#timing.now() });
    this.#noteKey();
    return { outcome, recordId: id };
  }

  note(id: number, change: Partial<Recorded>): void {
    const { records } = this.#store.value;
    this.#store.update({ records: records.map((record) => (record.id === id ? { ...record, ...change } : record)) });
  }

  rotateKey(isRotated: boolean): void {
    this.#wire.rotateKey(isRotated);
    this.#noteKey();
  }

  /** A 421 made the phone fetch the new one. */
  #noteKey(): void {
    const { hasRetiredKey } = this.#wire;
    if (hasRetiredKey !== this.#store.value.hasRetiredKey) this.#store.update({ hasRetiredKey });
  }
}
