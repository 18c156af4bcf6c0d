/** Latency as a share of a full scale: min(1, latencyMs / fullScaleMs), 0..1. */
export const latencyRatio = (latencyMs: number, fullScaleMs: number): number =>
  Math.min(1, Math.max(0, latencyMs) / fullScaleMs);

/** The middle value, or the mean of the two in the middle; undefined of nothing. */
export function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.ceil(sorted.length / 2) - 1];
  return upper === undefined || lower === undefined ? undefined : (lower + upper) / 2;
}
