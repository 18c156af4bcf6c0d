const SECOND_MS = 1000;

/**
 * When the next image is due, on the same clock as the arguments (milliseconds).
 *
 * Normally one interval (1 / ratePerSecond) after the last one was due, so that slow publishing does not lower
 * the rate. Whoever is more than an interval late, for example because the broker was away, goes on from now:
 * what was missed is not made up for in a burst.
 */
export function nextDueMs(lastDueMs: number, nowMs: number, ratePerSecond: number): number {
  const intervalMs = SECOND_MS / ratePerSecond;
  const dueMs = lastDueMs + intervalMs;
  return nowMs - dueMs > intervalMs ? nowMs : dueMs;
}
