/** How much of everything a run does. Figures of different scales are not comparable. */

export interface Scale {
  readonly name: 'full' | 'quick' | 'smoke';
  readonly rounds: number;
  /** Before each measured run, under the same load, not counted. */
  readonly warmUpMs: number;
  readonly measuredMs: number;
  /** Steps of flow-endpoint. */
  readonly connections: readonly number[];
  /** Connections of every other bench. */
  readonly crowd: number;
  /** Steps of webhook-intake: the first is the one that is judged by its p99. */
  readonly intakeConnections: readonly number[];
  /** Events of webhook-drain. */
  readonly drainEvents: number;
  /** Of one open-loop burst. */
  readonly burstMs: number;
  readonly engineWarmUpMs: number;
  readonly engineMs: number;
  /** Of the loop that measures what one bare unwrap costs. */
  readonly rawMs: number;
}

export const FULL: Scale = {
  name: 'full',
  rounds: 3,
  warmUpMs: 3_000,
  measuredMs: 8_000,
  connections: [1, 10, 100, 1_000, 5_000],
  crowd: 1_000,
  intakeConnections: [100, 1_000],
  drainEvents: 20_000,
  burstMs: 20_000,
  engineWarmUpMs: 1_000,
  engineMs: 4_000,
  rawMs: 1_000,
};

/** For a first look: one round, short runs. */
export const QUICK: Scale = {
  ...FULL,
  name: 'quick',
  rounds: 1,
  warmUpMs: 2_000,
  measuredMs: 4_000,
  connections: [1, 100, 1_000],
  drainEvents: 3_000,
  burstMs: 5_000,
  engineWarmUpMs: 500,
  engineMs: 2_000,
};

/** Only shows that everything runs: its figures mean nothing. */
export const SMOKE: Scale = {
  ...QUICK,
  name: 'smoke',
  warmUpMs: 50,
  measuredMs: 200,
  connections: [1, 8],
  crowd: 20,
  intakeConnections: [8],
  drainEvents: 200,
  burstMs: 150,
  engineWarmUpMs: 20,
  engineMs: 100,
  rawMs: 30,
};
