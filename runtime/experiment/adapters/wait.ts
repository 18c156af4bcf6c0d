import type { Clock } from '../../shared/clock';
import { ExperimentError } from '../experiment-error';

const LOOK_MS = 500;

/**
 * Looks until `look` gives undefined, which means that nothing is missing any more.
 * @param look what is still missing, for the error.
 * @throws ExperimentError naming that, when it takes longer than limitMs; the signal's reason when it aborts.
 */
export async function waitUntil(
  what: string,
  look: () => Promise<string | undefined>,
  { clock, signal, limitMs }: { clock: Clock; signal: AbortSignal; limitMs: number },
): Promise<void> {
  const untilMs = clock.monotonicMs() + limitMs;
  for (;;) {
    signal.throwIfAborted();
    const missing = await look();
    if (missing === undefined) return;
    if (clock.monotonicMs() > untilMs)
      throw new ExperimentError(`${what}: not within ${Math.round(limitMs / 1000)} s: ${missing}`);
    await clock.sleep(LOOK_MS, signal);
  }
}
