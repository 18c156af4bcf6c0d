import type { Clock } from '../../../runtime/shared/clock';

/** A clock that stands still until it is told to go on. */
export class FakeClock implements Clock {
  private now = 0;
  private sleepers: { readonly atMs: number; readonly wake: () => void }[] = [];

  nowMs(): number {
    return Date.UTC(2026, 0, 1) + this.now;
  }

  monotonicMs(): number {
    return this.now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted || ms <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      this.sleepers.push({ atMs: this.now + ms, wake });
      signal?.addEventListener('abort', wake);
    });
  }

  /** Lets time pass, in steps, so that who wakes up may sleep again within it. */
  async advance(ms: number): Promise<void> {
    const end = this.now + ms;
    for (;;) {
      await settle();
      const next = this.sleepers.reduce((least, { atMs }) => Math.min(least, atMs), Infinity);
      this.now = Math.min(end, Math.max(this.now, next));
      const due = this.sleepers.filter(({ atMs }) => atMs <= this.now);
      this.sleepers = this.sleepers.filter(({ atMs }) => atMs > this.now);
      for (const { wake } of due) wake();
      await settle();
      if (due.length === 0 && this.now === end) return;
    }
  }
}

/** Lets all that can go on without time passing go on. */
export async function settle(): Promise<void> {
  for (let round = 0; round < 5; round += 1) await new Promise((resolve) => setImmediate(resolve));
}
