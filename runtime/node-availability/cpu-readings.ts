import type { Clock } from '../shared/clock';
import { NEVER_READ, type Reading } from '../shared/freshness';
import type { Logger } from '../shared/log';
import type { AddressedNode, CpuMetrics } from '../shared/node-cpu/types';
import { PrometheusError } from '../shared/prometheus';
import { untilNextLookMs } from './next-look';

/** What one look at the metrics came to: `ok`, `empty` (no node was in the answer), or how it failed. */
export type ReadOutcome = 'ok' | 'empty' | PrometheusError['kind'] | 'other';

/** What the readings are taken from. */
export interface CpuReadingsOptions {
  /** What is read, for people; `CPU` when it is not given. Memory is read in the same manner. */
  readonly what?: string;
  /** Time between two looks. */
  readonly intervalMs: number;
  /** Looks come so long after scrapes, where those come as often, or half as often, and so on; any time if not given. */
  readonly settleMs?: number;
  /** The nodes that are known now. */
  nodes(): Iterable<AddressedNode>;
  /** Told after each look. */
  onRead?(outcome: ReadOutcome): void;
}

/**
 * The last CPU reading of each node, with the time at which it was taken. A look that fails, or that does not show a
 * node, leaves what was known before to grow old: who asks decides by its age whether it still counts.
 */
export class NodeCpuReadings {
  readonly #what: string;
  #readings = new Map<string, Reading<number>>();
  #problem: string | undefined;
  #looks = 0;
  #unmapped: readonly string[] = [];

  constructor(
    private readonly source: CpuMetrics,
    private readonly options: CpuReadingsOptions,
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {
    this.#what = options.what ?? 'CPU';
    this.#problem = `${this.#what} was not read yet`;
  }

  /** CPU of a node as a ratio, 0..1, with the time it was taken; unknown, with the reason, when it was never seen. */
  reading(node: string): Reading<number> {
    const known = this.#readings.get(node);
    if (known !== undefined) return known;
    return this.#problem === undefined ? NEVER_READ : { state: 'unknown', why: this.#problem };
  }

  /** Another after each look; readings change at looks alone. */
  get version(): number {
    return this.#looks;
  }

  /** What is wrong since the last look; undefined when it went well. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Instances in the last good answer that belong to no known node. */
  get unmapped(): readonly string[] {
    return this.#unmapped;
  }

  /** Looks at once and then every interval, until the signal aborts. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const startedMs = this.clock.monotonicMs();
      await this.once();
      const tookMs = this.clock.monotonicMs() - startedMs;
      await this.clock.sleep(Math.max(100, this.#pauseMs(tookMs)), signal);
    }
  }

  #pauseMs(tookMs: number): number {
    const { intervalMs, settleMs } = this.options;
    let newestMs = -Infinity;
    for (const reading of this.#readings.values())
      newestMs = Math.max(newestMs, takenAtMs(reading));
    return settleMs === undefined || newestMs === -Infinity
      ? intervalMs - tookMs
      : untilNextLookMs(this.clock.nowMs() - newestMs, intervalMs, settleMs);
  }

  /** One look. Never rejects. */
  async once(): Promise<void> {
    let outcome: ReadOutcome;
    let problem: string | undefined;
    try {
      outcome = await this.#look();
      if (outcome === 'empty') problem = `the ${this.#what} query gave no reading of any node`;
    } catch (error) {
      outcome = error instanceof PrometheusError ? error.kind : 'other';
      problem = `${outcome}: ${error instanceof Error ? error.message : String(error)}`;
    }
    if (problem !== this.#problem) {
      if (problem !== undefined)
        this.log.warn({ problem }, `cannot read the ${this.#what} of the nodes`);
      else this.log.info(`can read the ${this.#what} of the nodes`);
    }
    this.#problem = problem;
    this.#looks += 1;
    this.options.onRead?.(outcome);
  }

  async #look(): Promise<ReadOutcome> {
    const { byNode, unmapped, invalid } = await this.source.read(this.options.nodes());
    const kept = new Map<string, Reading<number>>();
    for (const { name } of this.options.nodes()) {
      const fresh = byNode.get(name);
      const reading: Reading<number> | undefined =
        fresh === undefined
          ? this.#readings.get(name)
          : { state: 'known', value: fresh.cpuRatio, takenAtMs: fresh.takenAtMs };
      if (reading !== undefined) kept.set(name, reading);
    }
    this.#readings = kept;
    const news = unmapped.filter((instance) => !this.#unmapped.includes(instance));
    if (news.length > 0)
      this.log.warn({ instances: news.slice(0, 20), count: news.length }, 'of no known node');
    if (invalid.length > 0)
      this.log.warn({ series: invalid.slice(0, 20), count: invalid.length }, 'no readings');
    this.#unmapped = unmapped;
    return byNode.size === 0 ? 'empty' : 'ok';
  }
}

const takenAtMs = (reading: Reading<number>): number =>
  reading.state === 'known' ? reading.takenAtMs : -Infinity;
