import type { CpuRow, PlacementRow, PodsRow } from '../../experiment-report/types';
import type { LoadResult } from './load-log';
import type { PlannedRound } from './plan';

/** Everything that one round gave. */
export interface RoundData {
  readonly startedAtMs: number;
  /** One for each load generator, by the service that it asked. */
  readonly loads: Readonly<Record<string, LoadResult>>;
  readonly pods: readonly PodsRow[];
  readonly cpu: readonly CpuRow[];
  readonly placements: readonly PlacementRow[];
}

/** The raw file of a round, as the report reads it: lines of JSON, each with its kind. */
export function rawFileOf(round: PlannedRound, data: RoundData): string {
  const { startedAtMs, loads } = data;
  const dropped = Object.values(loads).reduce((sum, { summary }) => sum + summary.dropped, 0);
  const lines: object[] = [
    {
      kind: 'round',
      scheduler: round.scheduler,
      round: round.round,
      startedAtMs,
      dropped,
      sequence: round.sequence,
    },
  ];
  for (const [service, { requests }] of Object.entries(loads))
    for (const request of requests) lines.push({ kind: 'request', service, ...request });
  for (const row of data.pods) lines.push({ kind: 'pods', ...row });
  for (const row of data.cpu) lines.push({ kind: 'cpu', ...row });
  for (const row of data.placements) lines.push({ kind: 'placement', ...row });
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}
