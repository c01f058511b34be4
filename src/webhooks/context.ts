/** What the handler of an event or a job is given beside it. */
import type { Logger } from 'pino';
import type { Deadline } from '../clock.ts';
import type { FlowInvitation, GraphClient, OutgoingDocument, SentMessage } from '../graph/client.ts';
import type { Defer } from './jobs.ts';

export interface JobContext {
  /** The event's or the job's: the same at every attempt and every replay. */
  readonly id: string;
  /** 1 for the first. */
  readonly attempt: number;
  /** Aborts at the attempt's deadline, or when the process is told to stop and will not wait. */
  readonly signal: AbortSignal;
  readonly deadline: Deadline;
  /** Carries id, type and attempt. What you log is yours: keep numbers and texts out. */
  readonly log: Logger;
  /** Leaves work for later. */
  readonly defer: Defer;
  /**
   * Runs an effect that must not be repeated, and remembers its result: a later attempt gets the result and runs nothing.
   *
   * An effect that throws did not happen, and is run again by the next attempt. If the process dies in the middle, or the
   * effect throws after `signal` aborted or a GraphError that `isUncertain`, nobody knows: then it is not run again, the
   * next attempt rejects with `EFFECT_UNCERTAIN`, and the item is a dead letter. Whoever replays it lets the effect run.
   * Begins nothing once `signal` has aborted. Costs two writes.
   *
   * @param key names the effect within this event or job.
   * @param effect what it returns must survive JSON, in 2,000 characters.
   */
  once<T>(key: string, effect: () => T | Promise<T>): Promise<T>;
  /** The Graph API, as the business number of `PHONE_NUMBER_ID`. Needs `GRAPH_TOKEN`. */
  readonly graph: GraphClient;
}

export interface EventContext extends JobContext {
  /** Answers the sender of a message, from the number that was written to. A TypeError for events that have no sender. */
  readonly reply: Reply;
}

/** Each resolves when Meta has accepted the message. Rejects with a GraphError. */
export interface Reply {
  text(body: string): Promise<SentMessage>;
  document(document: OutgoingDocument): Promise<SentMessage>;
  flow(flow: FlowInvitation): Promise<SentMessage>;
}
