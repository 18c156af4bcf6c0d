/** The numbers of the formula; all ratios 0..1. */
export interface ScoreSettings {
  readonly cpuWeight: number;
  readonly latencyWeight: number;
  /** From this CPU to cpuLimitRatio, both included, the penalty is taken. */
  readonly cpuPenaltyFromRatio: number;
  readonly cpuLimitRatio: number;
  /** What is taken, on the scale of the score: 15 points of 100 are 0.15. */
  readonly cpuPenalty: number;
}

/** What the CPU of a node costs its score beside its weight. */
export const cpuPenaltyOf = (cpuRatio: number, settings: ScoreSettings): number =>
  cpuRatio >= settings.cpuPenaltyFromRatio && cpuRatio <= settings.cpuLimitRatio
    ? settings.cpuPenalty
    : 0;

/**
 * How good a node is, 0..1:
 *
 *     score = (1 - cpuRatio) * 0.3 + (1 - latencyRatio) * 0.7 - (0.15 for a cpuRatio of 0.70 to 0.85)
 *
 * clamped to 0..1. Less CPU, or less latency, never makes it worse.
 */
export function scoreOf(cpuRatio: number, latencyRatio: number, settings: ScoreSettings): number {
  const raw =
    (1 - cpuRatio) * settings.cpuWeight +
    (1 - latencyRatio) * settings.latencyWeight -
    cpuPenaltyOf(cpuRatio, settings);
  return Math.min(1, Math.max(0, raw));
}
