/** How far the first round of readings has come since none was known. */
export type Round =
  | { readonly state: 'none' }
  | { readonly state: 'partial'; readonly sinceMs: number }
  | { readonly state: 'whole' };

export const NO_ROUND: Round = { state: 'none' };

/**
 * Whether nodes can be compared by their CPU yet. After a start of Prometheus, readings come node by node, over a
 * scrape interval or two. A node whose reading comes first would take every pod of that time, since a node without
 * one is not chosen beside one that has. So a round counts only once each Ready node has a fresh reading, or waitMs
 * after the first of them came: then those without are taken to have none. Once whole, it stays so until no node has
 * a fresh reading any more.
 *
 * @param fresh Ready nodes with a fresh reading
 * @param ready Ready nodes
 */
export function nextRound(
  before: Round,
  { fresh, ready }: { readonly fresh: number; readonly ready: number },
  waitMs: number,
  nowMs: number,
): Round {
  if (fresh === 0) return NO_ROUND;
  if (before.state === 'whole' || fresh >= ready) return { state: 'whole' };
  const sinceMs = before.state === 'partial' ? before.sinceMs : nowMs;
  return nowMs - sinceMs >= waitMs ? { state: 'whole' } : { state: 'partial', sinceMs };
}
