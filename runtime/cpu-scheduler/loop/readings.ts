import type { Clock } from '../../shared/clock';
import { seenAt } from '../../shared/freshness';
import type { Logger } from '../../shared/log';
import { PrometheusError } from '../../shared/prometheus';
import type { CpuSchedulerMetrics } from '../metrics';
import { NO_ROUND, nextRound, type Round } from '../policy/first-round';
import type { CpuMetrics, CpuReading } from '../../shared/node-cpu/types';
import type { Cluster } from './cluster';

/** The settings of reading. */
export interface ReadingSettings {
  readonly cpuPollIntervalMs: number;
  readonly readingMaxAgeMs: number;
  readonly partialRoundWaitMs: number;
}

/** Why CPU is not known, when it is not. */
export interface ReadingState {
  /** True while no node has a fresh reading that counts. */
  readonly fallback: boolean;
  readonly fresh: number;
  readonly nodes: number;
  readonly unmapped: readonly string[];
  /** What went wrong at the last look; undefined when it went well. */
  readonly problem?: string;
}

/** Looks at the CPU of the nodes now and then, and keeps the cluster's estimates up to date even when it cannot. */
export class ReadingLoop {
  #unmapped: readonly string[] = [];
  #problem: string | undefined;
  #wasFallback: boolean | undefined;
  #round: Round = NO_ROUND;
  /** Told after each look. */
  onRead: () => void = () => undefined;

  constructor(
    private readonly cluster: Cluster,
    private readonly source: CpuMetrics,
    private readonly settings: ReadingSettings,
    private readonly clock: Clock,
    private readonly log: Logger,
    private readonly metrics: CpuSchedulerMetrics,
  ) {}

  /** What is known now. */
  get state(): ReadingState {
    const nowMs = this.clock.nowMs();
    let fresh = 0;
    for (const node of this.cluster.all) {
      if (seenAt(node.reading, nowMs, this.settings.readingMaxAgeMs).state === 'fresh') fresh += 1;
    }
    return {
      fallback: fresh === 0,
      fresh,
      nodes: this.cluster.count,
      unmapped: this.#unmapped,
      ...(this.#problem !== undefined && { problem: this.#problem }),
    };
  }

  /** Looks every interval, while `active` says so, until the signal aborts. */
  async run(active: () => boolean, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const startedMs = this.clock.monotonicMs();
      if (active()) await this.once();
      const tookMs = this.clock.monotonicMs() - startedMs;
      await this.clock.sleep(Math.max(100, this.settings.cpuPollIntervalMs - tookMs), signal);
    }
  }

  /** One look. Never rejects: a failure leaves the readings to grow old. */
  async once(): Promise<void> {
    let readings: ReadonlyMap<string, CpuReading> = new Map();
    try {
      const snapshot = await this.source.read(this.cluster.infos());
      this.#report(snapshot.unmapped, snapshot.invalid);
      const empty = snapshot.byNode.size === 0;
      if (empty) this.metrics.pollFailures.inc({ kind: 'empty' });
      const missing = this.#missing(snapshot.byNode);
      readings = this.#round.state === 'partial' ? readings : snapshot.byNode;
      this.#setProblem(empty ? 'the CPU query gave no reading of any node' : missing);
    } catch (error) {
      const kind = error instanceof PrometheusError ? error.kind : 'other';
      this.metrics.pollFailures.inc({ kind });
      this.#setProblem(`${kind}: ${error instanceof Error ? error.message : String(error)}`);
    }
    this.cluster.refresh(readings, this.clock.nowMs());
    this.publish();
    this.onRead();
  }

  /** Brings the round up to date; what is awaited, while it is not whole. */
  #missing(readings: ReadonlyMap<string, CpuReading>): string | undefined {
    const nowMs = this.clock.nowMs();
    const { readingMaxAgeMs, partialRoundWaitMs } = this.settings;
    const ready = [...this.cluster.infos()].filter((node) => node.ready);
    const missing = ready.filter(({ name }) => {
      const reading = readings.get(name);
      return reading === undefined || nowMs - reading.takenAtMs > readingMaxAgeMs;
    });
    const counts = { ready: ready.length, fresh: ready.length - missing.length };
    this.#round = nextRound(this.#round, counts, partialRoundWaitMs, nowMs);
    if (this.#round.state !== 'partial') return undefined;
    const names = missing.slice(0, 5).map(({ name }) => name);
    return `${missing.length} of ${ready.length} nodes have no fresh CPU reading yet: ${names.join(', ')}`;
  }

  #report(unmapped: readonly string[], invalid: readonly string[]): void {
    const news = unmapped.filter((instance) => !this.#unmapped.includes(instance));
    if (news.length > 0) {
      this.log.warn(
        { instances: news.slice(0, 20), count: news.length },
        'instances of no known node',
      );
    }
    if (invalid.length > 0) {
      this.log.warn(
        { series: invalid.slice(0, 20), count: invalid.length },
        'series that are no reading',
      );
    }
    this.#unmapped = unmapped;
    this.metrics.unmapped.set(unmapped.length);
    this.metrics.invalid.set(invalid.length);
  }

  #setProblem(problem: string | undefined): void {
    if (problem !== this.#problem) {
      if (problem !== undefined) this.log.warn({ problem }, 'cannot read the CPU of the nodes');
      else if (this.#problem !== undefined) this.log.info('can read the CPU of the nodes again');
    }
    this.#problem = problem;
  }

  /** This replica reads no more: what it knew says nothing any longer. */
  standBy(): void {
    this.metrics.nodeCpu.reset();
    this.metrics.readings.reset();
    this.metrics.fallback.set(0);
    this.#wasFallback = undefined;
    this.#round = NO_ROUND;
  }

  /** Brings metrics up to date, and says when readings are lost and found; now and then, as readings grow old. */
  publish(): void {
    const nowMs = this.clock.nowMs();
    const counts = { fresh: 0, stale: 0, unknown: 0 };
    this.metrics.nodeCpu.reset();
    for (const node of this.cluster.all) {
      const seen = seenAt(node.reading, nowMs, this.settings.readingMaxAgeMs);
      counts[seen.state] += 1;
      if (seen.state === 'fresh') this.metrics.nodeCpu.set({ node: node.info.name }, seen.value);
    }
    for (const [state, count] of Object.entries(counts))
      this.metrics.readings.set({ state }, count);
    const fallback = counts.fresh === 0;
    if (fallback !== this.#wasFallback) {
      if (fallback) this.log.warn('CPU readings are not known: placing by requested CPU');
      else if (this.#wasFallback) this.log.info('CPU readings are known again');
      this.#wasFallback = fallback;
    }
    this.metrics.fallback.set(fallback ? 1 : 0);
    this.metrics.nodes.set(this.cluster.count);
  }
}
