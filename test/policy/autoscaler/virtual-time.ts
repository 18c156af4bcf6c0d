import type { Clock } from '../../../runtime/shared/clock';

interface Sleeper {
  readonly atMs: number;
  readonly wake: () => void;
}

/** Time that passes only when nothing can be done any more before it does; whoever sleeps wakes in the order of time. */
export class VirtualTime {
  readonly #sleepers = new Set<Sleeper>();
  readonly clock: Clock;

  /** @param world whose time it is */
  constructor(private readonly world: { nowMs: number; advance(ms: number): void }) {
    this.clock = {
      nowMs: () => world.nowMs,
      monotonicMs: () => world.nowMs,
      sleep: (ms, signal) =>
        new Promise((resolve) => {
          if (signal?.aborted === true) return resolve();
          const wake = (): void => {
            this.#sleepers.delete(sleeper);
            signal?.removeEventListener('abort', wake);
            resolve();
          };
          const sleeper: Sleeper = { atMs: world.nowMs + Math.max(ms, 0), wake };
          this.#sleepers.add(sleeper);
          signal?.addEventListener('abort', wake, { once: true });
        }),
    };
  }

  /** Lets so much time pass. */
  async pass(ms: number): Promise<void> {
    const endMs = this.world.nowMs + ms;
    while (await this.#step(endMs));
  }

  /** Lets time pass until this has come. @throws where nobody sleeps and it never comes */
  async until(end: Promise<unknown>): Promise<void> {
    let ended = false;
    const mark = (): void => void (ended = true);
    void end.then(mark, mark);
    for (let steps = 0; !ended; steps += 1) {
      if (steps > 10_000) throw new Error('it never comes');
      await this.#step(Infinity);
    }
    await end;
  }

  /** @returns whether somebody woke */
  async #step(endMs: number): Promise<boolean> {
    // By then everything that waits for no time has been done.
    await new Promise((resolve) => setImmediate(resolve));
    let first: Sleeper | undefined;
    for (const sleeper of this.#sleepers)
      if (first === undefined || sleeper.atMs < first.atMs) first = sleeper;
    if (first === undefined || first.atMs > endMs) return false;
    this.world.advance(Math.max(first.atMs - this.world.nowMs, 0));
    first.wake();
    return true;
  }
}
