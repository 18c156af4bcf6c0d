import { setTimeout as delay } from 'node:timers/promises';
import { errorText, log } from './log';

/**
 * Repeats an attempt until it succeeds, and says every ten seconds what it waits for.
 * @param isFinal tells an error that no repetition mends; it is thrown at once.
 */
export async function waitFor<T>(
  what: string,
  attempt: () => Promise<T>,
  { everyMs = 100, isFinal = (error: unknown): boolean => error === undefined } = {},
): Promise<T> {
  const started = Date.now();
  let nextWord = started + 3_000;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (isFinal(error)) throw error;
      if (Date.now() >= nextWord) {
        log(
          `waiting for ${what} since ${Math.round((Date.now() - started) / 1000)} s: ${errorText(error).split('\n')[0]}`,
        );
        nextWord = Date.now() + 10_000;
      }
      await delay(everyMs);
    }
  }
}
