import type { RawFile } from '../../../runtime/experiment-report/types';

export const START_MS = 1_767_225_600_000;

/** What a raw file is made of here: the test computes its own figures from this. */
export interface RawRound {
  readonly scheduler: string;
  readonly round: number;
  readonly dropped?: number;
  /** [ms since the start when it was due, latency, outcome] */
  readonly requests?: readonly (readonly [number, number, string])[];
  /** [ms since the start, running, desired of wl-hpa, desired of wl-hpa2] */
  readonly pods?: readonly (readonly [number, number, number, number])[];
  /** [ms since the start, node, ratio] */
  readonly cpu?: readonly (readonly [number, string, number | null])[];
  /** [pod, node, least and most ms from created to bound]; neither where it is unknown */
  readonly placements?: readonly (readonly [string, string, number?, number?])[];
}

export const fileName = ({ scheduler, round }: RawRound): string =>
  `raw/${scheduler}-${round}.jsonl`;

export function rawFile(raw: RawRound): RawFile {
  const { scheduler, round, dropped = 0 } = raw;
  const lines: object[] = [
    { kind: 'round', scheduler, round, startedAtMs: START_MS, dropped },
    ...(raw.requests ?? []).map(([dueMs, latencyMs, outcome], index) => ({
      kind: 'request',
      index,
      intendedAtMs: START_MS + dueMs,
      latencyMs,
      outcome,
    })),
    ...(raw.pods ?? []).map(([ms, running, one, two]) => ({
      kind: 'pods',
      atMs: START_MS + ms,
      running,
      desired: { 'wl-hpa': one, 'wl-hpa2': two },
    })),
    ...(raw.cpu ?? []).map(([ms, node, cpuRatio]) => ({
      kind: 'cpu',
      atMs: START_MS + ms,
      node,
      cpuRatio,
    })),
    ...(raw.placements ?? []).map(([pod, node, least, most]) => ({
      kind: 'placement',
      pod,
      node,
      created: { notBeforeMs: START_MS - 10, notAfterMs: START_MS },
      bound:
        least === undefined || most === undefined
          ? null
          : { notBeforeMs: START_MS + least, notAfterMs: START_MS - 10 + most },
    })),
  ];
  return { name: fileName(raw), text: lines.map((line) => JSON.stringify(line)).join('\n') };
}

/** Two rounds of a scheduler and one of another, all of them small enough to be recomputed by hand. */
export const ROUNDS: readonly RawRound[] = [
  {
    scheduler: 'default-scheduler',
    round: 1,
    dropped: 1,
    requests: [
      [0, 100, 'ok'],
      [1000, 300, 'ok'],
      [2000, 200, 'ok'],
      [12_000, 400, 'ok'],
      [12_500, 9000, 'timeout'],
      [12_600, 50, 'cancelled'],
    ],
    pods: [
      [0, 2, 1, 1],
      [5000, 4, 3, 2],
      [10_000, 5, 2, 2],
    ],
    cpu: [
      [0, 'node-1', 0.9],
      [5000, 'node-1', 0.7],
      [0, 'node-2', 0.2],
      [5000, 'node-2', null],
      [0, 'node-3', 0.1],
    ],
    placements: [
      ['wl-a', 'node-1', 10, 45],
      ['wl-b', 'node-1', 30, 60],
      ['wl-c', 'node-2', 20, 70],
      // Bound at an unknown time.
      ['wl-d', 'node-2'],
      // Perhaps bound at once.
      ['wl-e', 'node-2', -5, 50],
    ],
  },
  {
    scheduler: 'default-scheduler',
    round: 2,
    requests: [
      [0, 500, 'ok'],
      [1000, 700, 'status 503'],
    ],
    pods: [[0, 1, 1, 1]],
    cpu: [[0, 'node-1', 0.5]],
  },
  {
    scheduler: 'cpu-scheduler',
    round: 1,
    requests: Array.from({ length: 200 }, (_, k) => [50 * k, 201 - (k + 1), 'ok'] as const),
  },
];
