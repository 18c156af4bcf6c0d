/** Addresses that somebody asked to be measured to, with the time until which that holds. */
export type Focuses = ReadonlyMap<string, number>;

/** More at once than this are not measured to beside the landmarks, so that nobody can make a prober ask everyone. */
const MAX_FOCUSES = 4;

/**
 * The focuses after `address` was asked for: it holds until untilMs, those that are over are gone, and of too many the
 * one that ends first makes room.
 */
export function withFocus(
  focuses: Focuses,
  address: string,
  nowMs: number,
  untilMs: number,
): Focuses {
  const kept = [...focuses].filter(([known, endsMs]) => known !== address && endsMs > nowMs);
  kept.push([address, untilMs]);
  kept.sort(([, a], [, b]) => b - a);
  return new Map(kept.slice(0, MAX_FOCUSES));
}
