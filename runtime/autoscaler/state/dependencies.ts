import type { Clock } from '../../shared/clock';

/** How something that it talks to is. */
export type DependencyState =
  | { readonly state: 'up'; readonly ageMs: number }
  | { readonly state: 'down'; readonly why: string; readonly ageMs: number }
  /** It was not asked yet. */
  | { readonly state: 'unknown' };

interface Seen {
  readonly why: string | undefined;
  readonly atMs: number;
}

/** Asks what it talks to now and then how it is, so that who wants to know it need not wait for that. */
export class Dependencies<N extends string> {
  readonly #seen = new Map<N, Seen>();

  /** @param checks each rejects when what it asks is away. @param onChange told when one comes or goes. */
  constructor(
    private readonly checks: Readonly<Record<N, () => Promise<unknown>>>,
    private readonly intervalMs: number,
    private readonly clock: Clock,
    private readonly onChange: (name: N, why: string | undefined) => void,
  ) {}

  state(name: N): DependencyState {
    const seen = this.#seen.get(name);
    if (seen === undefined) return { state: 'unknown' };
    const ageMs = Math.round(this.clock.monotonicMs() - seen.atMs);
    return seen.why === undefined
      ? { state: 'up', ageMs }
      : { state: 'down', why: seen.why, ageMs };
  }

  /** Asks each at once and then every interval, until the signal aborts. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(
      (Object.keys(this.checks) as N[]).map(async (name) => {
        while (!signal.aborted) {
          await this.#ask(name);
          await this.clock.sleep(this.intervalMs, signal);
        }
      }),
    );
  }

  async #ask(name: N): Promise<void> {
    const before = this.#seen.get(name);
    let why: string | undefined;
    try {
      await this.checks[name]();
    } catch (error) {
      why = error instanceof Error ? error.message : String(error);
    }
    this.#seen.set(name, { why, atMs: this.clock.monotonicMs() });
    const wasUp = before?.why === undefined;
    if ((why === undefined) !== wasUp) this.onChange(name, why);
  }
}
