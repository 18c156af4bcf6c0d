import { nodeVerdict } from '../node-availability/availability';
import type { NodeCpuReadings } from '../node-availability/cpu-readings';
import type { AvailabilityOptions, ObservedNode } from '../node-availability/types';
import type { Clock } from '../shared/clock';
import type { Logger } from '../shared/log';
import type { NodeControllerMetrics } from './metrics';
import { labelPatches } from './policy/labels';
import { ranked } from './policy/rank';
import type { ClusterWatch, Leadership, NodeLabels } from './ports';
import type { JobReleases } from './releases';
import type { LastCount, RankedVerdict, SharedReading } from './types';

/** Patches in flight at once. */
const BATCH = 8;
/** Changes that come together are counted together. */
const GATHER_MS = 1000;

/** What the loop works with. */
export interface ControllerParts {
  readonly watch: ClusterWatch;
  readonly readings: NodeCpuReadings;
  readonly labels: NodeLabels;
  /** undefined where Jobs are not released. */
  readonly releases: JobReleases | undefined;
  readonly leadership: Leadership;
}

/** The settings of the loop. */
export interface ControllerOptions {
  readonly intervalMs: number;
  readonly availability: AvailabilityOptions;
  readonly manageEligible: boolean;
}

/**
 * Counts and ranks the nodes every interval, and soon after one of them changed. Every replica counts; the leader also
 * labels the nodes and releases Jobs. What fails is tried again at the next count, from what the cluster is then.
 */
export class NodeController {
  #last: Omit<LastCount, 'leader'> | undefined;
  #acting: AbortController | undefined;
  #woken = false;
  #wake: () => void = () => undefined;

  constructor(
    private readonly parts: ControllerParts,
    private readonly options: ControllerOptions,
    private readonly clock: Clock,
    private readonly log: Logger,
    private readonly metrics: NodeControllerMetrics,
  ) {}

  /** The last count; undefined before the first. */
  get last(): LastCount | undefined {
    return this.#last && { ...this.#last, leader: this.parts.leadership.isLeader() };
  }

  /** CPU of the nodes as it is known now, for others; undefined while it cannot be read. */
  get readings(): Readonly<Record<string, SharedReading>> | undefined {
    const { watch, readings } = this.parts;
    if (readings.problem !== undefined) return undefined;
    const nowMs = this.clock.nowMs();
    const known: Record<string, SharedReading> = {};
    for (const { name } of watch.nodes()) {
      const reading = readings.reading(name);
      if (reading.state === 'known')
        known[name] = { cpuRatio: reading.value, ageMs: nowMs - reading.takenAtMs };
    }
    return known;
  }

  /** This replica may act from now on. */
  startLeading(): void {
    this.#acting = new AbortController();
    this.metrics.leader.set(1);
    this.wake();
  }

  /** This replica acts no more; what it has in flight is given up. */
  stopLeading(): void {
    this.#acting?.abort();
    this.#acting = undefined;
    this.metrics.leader.set(0);
  }

  /** Counts soon. */
  wake(): void {
    this.#woken = true;
    this.#wake();
  }

  /** CPU was read: counts soon if other nodes are available now. New ranks alone wait for the interval. */
  cpuRead(): void {
    if (this.#last === undefined) return;
    const available = (verdicts: readonly RankedVerdict[]): string =>
      verdicts.flatMap((one) => (one.available ? [one.node] : [])).join();
    const now = this.#judge(this.parts.watch.nodes(), this.clock.nowMs());
    if (available(now) !== available(this.#last.nodes)) this.wake();
  }

  /** Counts until the signal aborts. Never rejects. The first count waits for the nodes and their CPU. */
  async run(signal: AbortSignal): Promise<void> {
    const { watch, readings } = this.parts;
    signal.addEventListener('abort', () => this.wake(), { once: true });
    const watching = watch.run(() => this.wake(), signal);
    while (!watch.synced && !signal.aborted) await this.clock.sleep(100, signal);
    if (!signal.aborted) await readings.once();
    const reading = readings.run(signal);
    while (!signal.aborted) {
      this.#woken = false;
      const startedMs = this.clock.monotonicMs();
      await this.cycle();
      const tookMs = this.clock.monotonicMs() - startedMs;
      this.metrics.cycleSeconds.observe(tookMs / 1000);
      await this.clock.sleep(GATHER_MS, signal);
      await this.#rest(this.options.intervalMs - tookMs - GATHER_MS);
    }
    await Promise.all([watching, reading]);
  }

  /** One count, and, on the leader, what follows from it. Never rejects. */
  async cycle(): Promise<void> {
    const nodes = this.parts.watch.nodes();
    const nowMs = this.clock.nowMs();
    const verdicts = this.#judge(nodes, nowMs);
    this.#publish(verdicts, nowMs);
    const acting = this.#acting;
    if (acting === undefined) return;
    const { excluded } = this.options.availability;
    const { manageEligible } = this.options;
    const patches = labelPatches(nodes, verdicts, { manageEligible, excluded });
    for (let from = 0; from < patches.length; from += BATCH) {
      if (acting.signal.aborted || !this.parts.leadership.isLeader()) return;
      const batch = patches.slice(from, from + BATCH);
      await Promise.all(
        batch.map(async (patch) => {
          const outcome = await this.parts.labels.patch(patch, acting.signal);
          this.metrics.labelPatches.inc({ outcome: outcome.kind });
          if (outcome.kind === 'done') this.log.info({ ...patch }, 'labelled a node');
          else this.log.warn({ ...patch, outcome }, 'could not label a node');
        }),
      );
    }
    await this.parts.releases?.run(verdicts, acting.signal);
  }

  #judge(nodes: readonly ObservedNode[], nowMs: number): RankedVerdict[] {
    const verdicts = nodes.map((node) => {
      const reading = this.parts.readings.reading(node.name);
      return nodeVerdict(node, reading, this.options.availability, nowMs);
    });
    return ranked(verdicts.sort((a, b) => (a.node < b.node ? -1 : 1)));
  }

  async #rest(ms: number): Promise<void> {
    if (this.#woken) return;
    const waiting = new AbortController();
    this.#wake = () => waiting.abort();
    await this.clock.sleep(ms, waiting.signal);
    this.#wake = () => undefined;
  }

  #publish(verdicts: readonly RankedVerdict[], takenAtMs: number): void {
    const cpuProblem = this.parts.readings.problem ?? null;
    const availableNodeCount = verdicts.filter(({ available }) => available).length;
    const before = this.#last?.availableNodeCount;
    this.#last = { takenAtMs, availableNodeCount, nodes: verdicts, cpuProblem };
    if (availableNodeCount !== before)
      this.log.info({ availableNodeCount, before, cpuProblem }, 'available nodes');
    const { metrics } = this;
    metrics.cycles.inc();
    metrics.availableNodes.set(availableNodeCount);
    for (const gauge of [metrics.nodes, metrics.nodeCpu, metrics.nodeRank]) gauge.reset();
    for (const { node, rule, cpuRatio, rank } of verdicts) {
      metrics.nodes.inc({ state: rule ?? 'available' });
      if (cpuRatio !== null) metrics.nodeCpu.set({ node }, cpuRatio);
      if (rank !== null) metrics.nodeRank.set({ node }, rank);
    }
    metrics.queuedJobs.set(this.parts.watch.queuedJobs);
  }
}
