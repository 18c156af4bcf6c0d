import type { Work, WorkLimits } from '../types';

/** Least number below which there is a prime. */
const LEAST_PRIME_BELOW = 3;

/** What a query says: the work, or every problem with it. */
export type ParsedWork =
  | { readonly ok: true; readonly work: Work }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Reads the parameters `sleep` (ms), `prime` and `bloat` (Mb) of a query; all problems at once, each with its range. */
export function parseWork(query: URLSearchParams, limits: WorkLimits): ParsedWork {
  const ranges: Readonly<Record<string, readonly [keyof Work, number, number, string]>> = {
    sleep: ['sleepMs', 0, limits.maxSleepMs, 'milliseconds'],
    prime: ['primeBelow', LEAST_PRIME_BELOW, limits.maxPrime, ''],
    bloat: ['bloatMb', 0, limits.maxBloatMb, 'Mb'],
  };
  const problems: string[] = [];
  const work: { -readonly [K in keyof Work]: Work[K] } = {};
  for (const name of new Set(query.keys())) {
    const range = ranges[name];
    if (range === undefined) {
      problems.push(`${name}: no such parameter; there are ${Object.keys(ranges).join(', ')}`);
      continue;
    }
    const [key, min, max, unit] = range;
    const texts = query.getAll(name);
    const [text = ''] = texts;
    const value = Number(text);
    if (texts.length > 1) problems.push(`${name}: given ${texts.length} times, give it once`);
    else if (!/^\d+$/.test(text) || value < min || value > max)
      problems.push(
        `${name}: ${JSON.stringify(text)} is not a whole number from ${min} to ${max}${unit && ` ${unit}`}`,
      );
    else work[key] = value;
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, work };
}
