/** What a bench and its child processes say to each other. */

/** To a child. It answers each order once, in turn. */
export type Order = { readonly order: 'measure' } | ({ readonly order: 'run' } & EngineLoad);

/** How long an engine works, with how many unwraps in flight. */
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
  readonly unwraps: number;
  readonly seconds: number;
}

export type Answer =
  | { readonly told: 'failed'; readonly reason: string }
  | ({ readonly told: 'measured' } & Usage)
  | ({ readonly told: 'ran' } & EngineRun);
