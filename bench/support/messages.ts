/** What a bench and its child processes say to each other. */
import type { StoreWork } from './store-work.ts';

/** To a child. It answers each order once, in turn. */
export type Order =
  | { readonly order: 'measure' }
  | ({ readonly order: 'run' } & EngineLoad)
  | { readonly order: 'drain' };

/** How long an engine works, with how many operations in flight. */
export interface EngineLoad {
  readonly inFlight: number;
  readonly warmUpMs: number;
  readonly measuredMs: number;
}

/** From a child, once, when it is ready to be measured. */
export interface Ready {
  readonly told: 'ready';
  /** 0 when it serves no HTTP. */
  readonly port: number;
  /** 0, or absent, when there is none. */
  readonly adminPort?: number;
  /** For the row's header: `uWebSockets.js, 2 workers`. */
  readonly description: string;
}

/** Of the child's process, since the last `measure`. */
export interface Usage {
  readonly cpuMicros: number;
  readonly loopDelayP99Ms: number;
  /** Now. */
  readonly rssBytes: number;
}

export interface EngineRun extends Usage {
  readonly operations: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of an engine that is a store. */
  readonly store: StoreWork;
}

/** How a full inbox was emptied, from when it was warm to its last event. */
export interface DrainRun extends Usage {
  readonly events: number;
  readonly seconds: number;
  readonly store: StoreWork;
}

export type Answer =
  | { readonly told: 'failed'; readonly reason: string }
  | ({ readonly told: 'measured' } & Usage)
  | ({ readonly told: 'ran' } & EngineRun)
  | ({ readonly told: 'drained' } & DrainRun);
