import pLimit from 'p-limit';
import type { Clock } from '../../shared/clock';
import type { Logger } from '../../shared/log';
import { PrometheusError } from '../../shared/prometheus';
import type { LatencyExtenderMetrics } from '../metrics';
import type { ProberDirectory, ScoreSource, Traffic } from '../ports';
import { FILTER_RULES, type BusiestNode, type ProbedNode } from '../types';
import type { NodeTable, Wanted } from './node-table';
import type { Placements } from './placements';

export interface RefreshSettings {
  readonly refreshIntervalMs: number;
  readonly tableIntervalMs: number;
  readonly probeMaxAgeMs: number;
  readonly probeConcurrency: number;
  readonly trafficIntervalMs: number;
  readonly trafficMaxAgeMs: number;
  readonly firstTargetWaitMs: number;
}

/** Who is asked. */
export interface RefreshSources {
  readonly traffic: Traffic;
  readonly directory: ProberDirectory;
  readonly source: ScoreSource;
}

/** Asks the probers now and then, and Prometheus less often, and makes the table anew from what they said and what has grown old. */
export class Refresher {
  readonly #probed = new Map<string, ProbedNode>();
  #busiest: { readonly node: BusiestNode | undefined; readonly readAtMs: number } | undefined;
  #trafficProblem: string | undefined = 'was not asked yet';
  #trafficAskedMs = -Infinity;
  #wasNothingFresh: boolean | undefined;
  #rounds = 0;
  #hadTarget = false;
  readonly #startedMs: number;

  constructor(
    private readonly sources: RefreshSources,
    private readonly table: NodeTable,
    private readonly placements: Placements,
    private readonly settings: RefreshSettings,
    private readonly clock: Clock,
    private readonly log: Logger,
    private readonly metrics: LatencyExtenderMetrics,
  ) {
    this.#startedMs = clock.monotonicMs();
  }

  /** Whether everybody was asked once, and there was a busiest node to count latency to, or that took too long. */
  get ready(): boolean {
    const waitedMs = this.clock.monotonicMs() - this.#startedMs;
    return this.#rounds > 0 && (this.#hadTarget || waitedMs >= this.settings.firstTargetWaitMs);
  }

  /** The busiest node as Prometheus had it; undefined where that is too old, or nobody has traffic. */
  get busiest(): BusiestNode | undefined {
    const known = this.#busiest;
    const tooOld =
      known === undefined || this.clock.nowMs() - known.readAtMs > this.settings.trafficMaxAgeMs;
    return tooOld ? undefined : known.node;
  }

  /** Why Prometheus could not be asked the last time; undefined when it could. */
  get trafficProblem(): string | undefined {
    return this.#trafficProblem;
  }

  async run(signal: AbortSignal): Promise<void> {
    const every = async (intervalMs: number, act: () => Promise<void> | void): Promise<void> => {
      while (!signal.aborted) {
        const startedMs = this.clock.monotonicMs();
        await act();
        const tookMs = this.clock.monotonicMs() - startedMs;
        await this.clock.sleep(Math.max(100, intervalMs - tookMs), signal);
      }
    };
    await Promise.all([
      every(this.settings.refreshIntervalMs, () => this.round()),
      every(this.settings.tableIntervalMs, () => this.rebuild()),
    ]);
  }

  /** Asks all who are due, side by side. Never rejects: who does not answer leaves what was known to grow old. */
  async round(): Promise<void> {
    const { probers } = this.sources.directory;
    const focusNode = this.busiest?.node;
    const focus = focusNode === undefined ? undefined : probers.get(focusNode);
    const limit = pLimit(this.settings.probeConcurrency);
    await Promise.all([
      this.#isTrafficDue() ? this.#askTraffic() : undefined,
      ...[...probers].map(([node, address]) => limit(() => this.#askProber(node, address, focus))),
    ]);
    this.#rounds += 1;
    this.rebuild();
  }

  /** Makes the table anew: readings grow old, and placements settle. */
  rebuild(): void {
    const nowMs = this.clock.nowMs();
    const { probers } = this.sources.directory;
    for (const node of probers.keys()) {
      if (!this.#probed.has(node))
        this.#probed.set(node, { node, reading: undefined, failure: undefined });
    }
    for (const [node, { reading }] of this.#probed) {
      // A prober that is being replaced is gone from the directory for a moment: what it said still holds.
      const ageMs = reading === undefined ? Infinity : nowMs - reading.receivedAtMs;
      if (!probers.has(node) && ageMs > this.settings.probeMaxAgeMs) this.#probed.delete(node);
    }
    this.placements.prune(nowMs);
    this.table.rebuild([...this.#probed.values()], this.#wanted(), nowMs);
    this.#hadTarget ||= this.table.target.node !== undefined;
    this.#publish();
  }

  #wanted(): Wanted {
    const { busiest } = this;
    if (busiest !== undefined) return { node: busiest.node, why: '' };
    if (this.#busiest !== undefined && this.#trafficProblem === undefined)
      return { node: undefined, why: 'no node has traffic' };
    return {
      node: undefined,
      why: `the busiest node is not known: Prometheus ${this.#trafficProblem ?? 'was asked too long ago'}`,
    };
  }

  /** Not every round: its rate over a minute changes slowly. At once while it is not known, or could not be asked. */
  #isTrafficDue(): boolean {
    const known = this.busiest !== undefined && this.#trafficProblem === undefined;
    const { trafficIntervalMs, refreshIntervalMs } = this.settings;
    const sinceMs = this.clock.monotonicMs() - this.#trafficAskedMs;
    // Rounds come a little early, or late.
    return !known || sinceMs >= trafficIntervalMs - refreshIntervalMs / 2;
  }

  async #askTraffic(): Promise<void> {
    this.#trafficAskedMs = this.clock.monotonicMs();
    try {
      const node = await this.sources.traffic.busiest();
      this.#busiest = { node, readAtMs: this.clock.nowMs() };
      if (this.#trafficProblem !== undefined && this.#rounds > 0)
        this.log.info('can ask Prometheus for the busiest node again');
      this.#trafficProblem = undefined;
    } catch (error) {
      const kind = error instanceof PrometheusError ? error.kind : 'other';
      this.metrics.trafficFailures.inc({ kind });
      const problem = `${kind}: ${error instanceof Error ? error.message : String(error)}`;
      if (problem !== this.#trafficProblem)
        this.log.warn({ problem }, 'cannot ask Prometheus for the busiest node');
      this.#trafficProblem = problem;
    }
  }

  async #askProber(node: string, address: string, focus: string | undefined): Promise<void> {
    const before = this.#probed.get(node);
    try {
      const scores = await this.sources.source.scores(address, focus);
      if (scores.node !== node)
        throw new Error(`the prober at ${address} says that it is on ${scores.node}`);
      this.metrics.probes.inc({ outcome: 'answered' });
      if (before?.failure !== undefined) this.log.info({ node }, 'the prober answers again');
      const reading = { scores, receivedAtMs: this.clock.nowMs() };
      this.#probed.set(node, { node, reading, failure: undefined });
    } catch (error) {
      this.metrics.probes.inc({ outcome: 'failed' });
      const failure = error instanceof Error ? error.message : String(error);
      if (before?.failure === undefined)
        this.log.warn({ node, failure }, 'a prober does not answer');
      this.#probed.set(node, { node, reading: before?.reading, failure });
    }
  }

  #publish(): void {
    const { table, metrics } = this;
    const counts = new Uint32Array(FILTER_RULES.length + 1);
    for (let index = 0; index < table.views.length; index += 1) {
      const code = table.ruleCode(index);
      counts[code] = (counts[code] ?? 0) + 1;
    }
    metrics.nodes.set({ state: 'in' }, counts[0] ?? 0);
    for (const [index, rule] of FILTER_RULES.entries())
      metrics.nodes.set({ state: rule }, counts[index + 1] ?? 0);
    metrics.target.reset();
    if (table.target.node !== undefined) metrics.target.set({ node: table.target.node }, 1);
    metrics.placements.set(this.placements.size);
    const nothingFresh = table.freshNodes === 0;
    metrics.nothingFresh.set(nothingFresh ? 1 : 0);
    if (nothingFresh === this.#wasNothingFresh || this.#rounds === 0) return;
    if (nothingFresh) this.log.warn('no node has a fresh probe');
    else if (this.#wasNothingFresh) this.log.info('probes are fresh again');
    this.#wasNothingFresh = nothingFresh;
  }
}
