import type { Computer } from './ports';

/** What one turn computes: a few milliseconds, so that it ends soon when it is to stop. */
const BELOW = 1_000_000;

/** Computes all the time on so many threads, whatever is asked of the service, until the signal aborts. */
export async function keepBusy(
  computer: Pick<Computer, 'run'>,
  threads: number,
  signal: AbortSignal,
): Promise<void> {
  const turns = async (): Promise<void> => {
    while (!signal.aborted) {
      // A thread that dies is replaced, and told of, by the computer.
      await computer.run({ primeBelow: BELOW }, signal).catch(() => undefined);
    }
  };
  await Promise.all(Array.from({ length: threads }, turns));
}
