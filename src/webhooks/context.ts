/** What the handler of an event or a job is given beside it. */
import type { Logger } from 'pino';
import type { Cache } from '../cache/cache.ts';
import type { Deadline } from '../clock.ts';
import type { FlowCard, FlowInvitation, GraphClient, OutgoingDocument, SentMessage } from '../graph/client.ts';
import type { JsonObject } from '../json.ts';
import type { MediaFile } from '../media/scope.ts';
import type { Session } from '../sessions/session.ts';
import type { MintOptions } from '../tokens/tokens.ts';
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
  /** What is slow to fetch and the same for many users. */
  readonly cache: Cache;
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
  /**
   * The Graph API, as the business number of `PHONE_NUMBER_ID`, with `GRAPH_TOKEN`.
   *
   * For an event of a tenant, a completed Flow that has a business of its own, and the jobs these leave: as that business,
   * with its `graphToken` where it has one, from the number that was written to, or else its `phoneNumberId`. Each call
   * rejects with `TENANT_UNAVAILABLE` or `TENANT_UNKNOWN` when its credentials cannot be had, with nothing sent.
   */
  readonly graph: GraphClient;
}

export interface EventContext extends JobContext {
  /** Answers the sender of a message, from the number that was written to. A TypeError for events that have no sender. */
  readonly reply: Reply;
  /**
   * The files that came with it: of a media message, or of a picker's field in a completed Flow. They live as long as the
   * attempt. Needs an access token, as `graph` does. @throws FlowgateError `MEDIA_INVALID` where there are none to be had.
   */
  media(field?: string): MediaFile[];
}

/** Of a handler for completed Flows. */
export interface CompletedContext<SessionData = JsonObject> extends EventContext {
  /** What the Flow's handlers kept for the token that it was completed with. */
  readonly session: Session<SessionData>;
}

/** Each resolves when Meta has accepted it, and waits no longer than the attempt may. Rejects with a GraphError. */
export interface Reply {
  text(body: string): Promise<SentMessage>;
  document(document: OutgoingDocument): Promise<SentMessage>;
  flow(flow: FlowInvitation): Promise<SentMessage>;
  /** A Flow of this app, with a token that is minted for the sender. */
  flow(name: string, card: FlowCard & InvitedUser): Promise<SentMessage>;
  /** Shows the sender that the message was read, and those before it. */
  read(): Promise<void>;
  /** The same, and that an answer is being written: for 25 s, or until it comes. */
  typing(): Promise<void>;
}

/** For whom the token of an invitation is, where that is not simply the sender: see `app.tokens.mint`. */
export type InvitedUser = Partial<Pick<MintOptions, 'user' | 'ttl' | 'singleUse'>>;
