import { setTimeout as pause } from 'node:timers/promises';

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 2000;
/** Another machine may be many times slower, or busy with other things. */
const LIMIT_MS = 900_000;

/**
 * Looks until a condition yields something, and returns that.
 * @throws Error naming what was awaited and what was seen last, after the limit.
 */
export async function waitUntil<T>(
  what: string,
  look: () => Promise<T | undefined | false>,
  options: { limitMs?: number; longestPauseMs?: number; seen?: () => unknown } = {},
): Promise<T> {
  const limitMs = options.limitMs ?? LIMIT_MS;
  const deadline = Date.now() + limitMs;
  let failure: unknown;
  for (let pauseMs = FIRST_PAUSE_MS; Date.now() < deadline;) {
    try {
      const found = await look();
      if (found !== undefined && found !== false) return found;
      failure = undefined;
    } catch (error) {
      failure = error;
    }
    await pause(pauseMs);
    pauseMs = Math.min(pauseMs * 1.5, options.longestPauseMs ?? LONGEST_PAUSE_MS);
  }
  const seen = options.seen?.();
  throw new Error(
    `${what}: not within ${limitMs / 1000} s` +
      (seen === undefined ? '' : `; last seen: ${JSON.stringify(seen)}`) +
      (failure === undefined ? '' : `; last error: ${String(failure)}`),
  );
}
