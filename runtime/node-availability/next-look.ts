/**
 * Time until the next look at samples of which the newest is now ageMs old, in ms: half an interval to one and a half, such
 * that it comes settleMs after a scrape where scrapes are one interval apart, or whole intervals. Looks are then no more
 * often than without it, and what was scraped is known after settleMs, not after up to an interval.
 */
export function untilNextLookMs(ageMs: number, intervalMs: number, settleMs: number): number {
  const leastMs = intervalMs / 2;
  const laterMs = (settleMs - ageMs - leastMs) % intervalMs;
  return leastMs + (laterMs < 0 ? laterMs + intervalMs : laterMs);
}
