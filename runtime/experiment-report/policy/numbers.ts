/** The percentile by nearest rank: the least value that so many of them do not exceed. Null for no values. */
export function percentile(values: readonly number[], percent: number): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = Math.max(1, Math.ceil((percent * sorted.length) / 100));
  return sorted[rank - 1] ?? null;
}

/** The middle value, or the mean of the two in the middle. Null for no values. */
export function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  const high = sorted[sorted.length >> 1];
  const low = sorted[(sorted.length - 1) >> 1];
  return low === undefined || high === undefined ? null : (low + high) / 2;
}

/** Null for no values. */
export function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, one) => sum + one, 0) / values.length;
}

/** Null for no values. Any number of them, unlike Math.max(...). */
export function greatest(values: readonly number[]): number | null {
  return values.reduce<number | null>(
    (most, one) => (most === null || one > most ? one : most),
    null,
  );
}

/** Null for no values. */
export function least(values: readonly number[]): number | null {
  return values.reduce<number | null>((few, one) => (few === null || one < few ? one : few), null);
}
