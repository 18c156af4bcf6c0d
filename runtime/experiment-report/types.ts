/** A raw file of the experiment, as it was kept. */
export interface RawFile {
  /** Path below the folder of the report, such as `raw/default-1.jsonl`. */
  readonly name: string;
  readonly text: string;
}

/** One request. Times are milliseconds since 1970, latency counts from when it was due. */
export interface RequestRow {
  readonly intendedAtMs: number;
  readonly latencyMs: number;
  readonly outcome: string;
}

/** How many pods ran, and how many each HorizontalPodAutoscaler wanted. */
export interface PodsRow {
  readonly atMs: number;
  readonly running: number;
  readonly pending: number;
  readonly desired: Readonly<Record<string, number>>;
}

/** CPU use of one node, 0..1; null where no reading was known. */
export interface CpuRow {
  readonly atMs: number;
  readonly node: string;
  readonly cpuRatio: number | null;
}

/** What is known of when something happened, in milliseconds since 1970. */
export interface TimeBounds {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** A pod that was bound to a node; null where it is not known when. */
export interface PlacementRow {
  readonly pod: string;
  readonly node: string;
  readonly created: TimeBounds | null;
  readonly bound: TimeBounds | null;
}

/** One scheduler under the load, once: the content of one raw file. */
export interface Round {
  readonly file: string;
  readonly scheduler: string;
  /** From 1. */
  readonly round: number;
  readonly startedAtMs: number;
  /** Requests that were due and never sent. */
  readonly dropped: number;
  readonly requests: readonly RequestRow[];
  readonly pods: readonly PodsRow[];
  readonly cpu: readonly CpuRow[];
  readonly placements: readonly PlacementRow[];
}

/** Figures of one round; null where nothing was measured. */
export interface RoundFigures {
  readonly file: string;
  readonly scheduler: string;
  readonly round: number;
  readonly figures: Readonly<Record<FigureId, number | null>>;
}

/** Figures of one scheduler: the median over its rounds. */
export interface SchedulerFigures {
  readonly scheduler: string;
  readonly files: readonly string[];
  readonly figures: Readonly<Record<FigureId, number | null>>;
}

/** The figures of the table, in its order. */
export const FIGURES = {
  requests: { title: 'Requests', digits: 0 },
  successPercent: { title: 'Success, %', digits: 2 },
  meanMs: { title: 'Mean, ms', digits: 1 },
  p50Ms: { title: 'p50, ms', digits: 1 },
  p95Ms: { title: 'p95, ms', digits: 1 },
  p99Ms: { title: 'p99, ms', digits: 1 },
  maxMs: { title: 'Max, ms', digits: 1 },
  peakPods: { title: 'Most running pods', digits: 0 },
  peakDesired: { title: 'Most desired replicas', digits: 0 },
  peakCpuPercent: { title: 'Peak node CPU, %', digits: 1 },
  cpuSpreadPoints: { title: 'CPU spread, points', digits: 1 },
  placements: { title: 'Pods placed', digits: 0 },
  bindLeastP50Ms: { title: 'Created to bound p50, at least, ms', digits: 0 },
  bindMostP50Ms: { title: 'Created to bound p50, at most, ms', digits: 0 },
  placementSpread: { title: 'Most minus fewest pods of a node', digits: 0 },
} as const;

export type FigureId = keyof typeof FIGURES;

/** A plot: its picture, what it shows and where its figures come from. */
export interface Plot {
  /** File name without ending. */
  readonly id: string;
  readonly title: string;
  readonly svg: string;
  readonly files: readonly string[];
}
