import type { Placement } from '../types';

export interface PlacementSettings {
  /** A reading shows a pod once it was taken this long after the pod was placed. */
  readonly placementSettleMs: number;
  /** A pod that was rated and is not seen on a node after this time is forgotten. */
  readonly assumeTtlMs: number;
  /** What is not fresh after this is not counted. */
  readonly probeMaxAgeMs: number;
}

/** Whether the reading, taken at readingTakenAtMs, does not show the pod yet. */
export const isUnseen = (
  placement: Placement,
  readingTakenAtMs: number,
  settings: PlacementSettings,
): boolean => readingTakenAtMs < placement.placedAtMs + settings.placementSettleMs;

/** Whether a placement may be forgotten: nobody saw it, or every fresh reading shows it by now. */
export const isOver = (placement: Placement, settings: PlacementSettings, nowMs: number): boolean =>
  nowMs - placement.placedAtMs >
  (placement.confirmed
    ? settings.placementSettleMs + settings.probeMaxAgeMs
    : settings.assumeTtlMs);

/** What the placements that a reading does not show will add to a node with so many processors, 0 or more. */
export function placedCpuRatio(
  placements: Iterable<Placement>,
  readingTakenAtMs: number,
  cores: number,
  settings: PlacementSettings,
): number {
  let millis = 0;
  for (const placement of placements)
    if (isUnseen(placement, readingTakenAtMs, settings)) millis += placement.cpuMillis;
  return millis / 1000 / cores;
}
