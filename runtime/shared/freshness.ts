/** A value and when it was true; or that there is none, which is not the same as zero. */
export type Reading<T> =
  { readonly state: 'known'; readonly value: T; readonly takenAtMs: number } | UnknownReading;

/** No value was ever read, or it was taken away; says why. */
export interface UnknownReading {
  readonly state: 'unknown';
  readonly why: string;
}

/** A reading as seen at some time. Only a fresh one carries its value, so that none else can be used by mistake. */
export type SeenReading<T> =
  | { readonly state: 'fresh'; readonly value: T; readonly ageMs: number }
  | { readonly state: 'stale'; readonly ageMs: number }
  | UnknownReading;

export const NEVER_READ: UnknownReading = { state: 'unknown', why: 'never read' };

/**
 * What a reading is worth at nowMs. Its age is in milliseconds and never negative (a reading from the future, by a
 * clock a little ahead, is new); older than maxAgeMs is stale.
 */
export function seenAt<T>(reading: Reading<T>, nowMs: number, maxAgeMs: number): SeenReading<T> {
  if (reading.state === 'unknown') return reading;
  const ageMs = Math.max(0, nowMs - reading.takenAtMs);
  return ageMs > maxAgeMs
    ? { state: 'stale', ageMs }
    : { state: 'fresh', value: reading.value, ageMs };
}
