/** An exponentially weighted moving average, and when it last moved. */
export interface Ewma {
  readonly value: number;
  /** Time of the last sample. */
  readonly atMs: number;
  /** Samples that went into it. */
  readonly samples: number;
}

/**
 * The average after one more sample. What was known loses half of its weight every halfLifeMs, however often samples
 * come:
 *
 *     kept  = 2 ^ -(elapsed / halfLife)
 *     value = kept * before + (1 - kept) * sample
 *
 * The first sample is the average. It always lies between the former average and the sample.
 */
export function ewma(
  before: Ewma | undefined,
  sample: number,
  atMs: number,
  halfLifeMs: number,
): Ewma {
  if (before === undefined) return { value: sample, atMs, samples: 1 };
  const elapsedMs = Math.max(0, atMs - before.atMs);
  const kept = 2 ** (-elapsedMs / halfLifeMs);
  return {
    value: before.value + (1 - kept) * (sample - before.value),
    atMs: Math.max(atMs, before.atMs),
    samples: before.samples + 1,
  };
}
