/**
 * The limits that panels are coloured at.
 *
 * Meta's: "Flows health monitoring" (endpoint alerts) and "Webhooks" (what it asks of an endpoint). Each of its alerts
 * has a window, which the panels and the rules take too: another would be coloured at another moment than Meta's.
 */
import { above, below } from './spec.ts';

/** p90 latency of a Flow's endpoint, in seconds, over 30 minutes. */
export const META_LATENCY = above(1, 5, 7);
/** Share of a Flow's requests that its endpoint fails, over 30 minutes; also of those whose answers clients cannot use, over 60. */
export const META_ERRORS = above(0.05, 0.1, 0.5);
/** Share of Meta's pings that are answered, over 10 minutes. */
export const META_AVAILABILITY = below(0.9);
/** Webhook acknowledgements in seconds: half within the first; within the second all but one in a hundred. */
export const META_ACKNOWLEDGEMENT = above(0.25, 1);
export const META_LATE_ACKNOWLEDGEMENTS = above(0.01);
/** One answer. */
export const META_ANSWER_BYTES = above(262_144, 1_048_576);

/** Ours: a handler that takes longer is named in the log. */
export const SLOW_HANDLER = above(0.5, 1);
/** MAX_QUEUE_WAIT_MS is 2 s by default, and Meta's first threshold 1 s. */
export const QUEUE_WAIT = above(0.5, 1);
export const EVENT_LOOP_DELAY = above(0.05, 0.1);
export const OLDEST_DUE = above(60, 600);
export const FORWARDING_DELAY = above(10, 30);
export const COMMIT = above(0.025, 0.1);
/** Calls to the store of sessions and tokens: it has failed at 250 ms. */
export const STATE_CALL = above(0.025, 0.1);
export const STATE_FAILURES = above(0.01, 0.05);
/** A source that is waited for: from 250 ms on an old value is given where there is one. */
export const CACHE_LOAD = above(0.25, 2);
/** A handler has 8 s by default, its own work included. */
export const DOWNLOAD = above(2, 5);
/** A message is given up after 20 s by default. */
export const GRAPH_TURN = above(1, 5);
export const ANY = above(1e-9);
