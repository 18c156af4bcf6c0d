/**
 * When requests are due: request k at k / qps seconds, whatever came of those before, for as long as that is within
 * the duration.
 */
export interface Schedule {
  /** How many become due in all. */
  readonly count: number;
  /** When one is due, in ms since the start. @param index 0 for the first. */
  dueMs(index: number): number;
  /** How many are due at or before a time, in ms since the start. */
  dueBy(elapsedMs: number): number;
}

/** @param qps above 0 @param durationSeconds above 0 */
export function scheduleOf(qps: number, durationSeconds: number): Schedule {
  const dueMs = (index: number): number => (index * 1000) / qps;
  // Of the product only what lies beyond rounding counts: 0.1 s at 30/s are 3 requests, though 0.1 * 30 > 3.
  const count = Math.max(1, Math.ceil(Number((qps * durationSeconds).toPrecision(12))));
  return {
    count,
    dueMs,
    dueBy: (elapsedMs) => {
      if (elapsedMs < 0) return 0;
      let due = Math.min(count, Math.floor((elapsedMs * qps) / 1000) + 1);
      // Rounding must not make one due before its own time, nor late.
      while (due > 0 && dueMs(due - 1) > elapsedMs) due -= 1;
      while (due < count && dueMs(due) <= elapsedMs) due += 1;
      return due;
    },
  };
}
