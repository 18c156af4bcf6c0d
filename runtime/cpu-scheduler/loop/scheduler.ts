import type { CpuMetrics } from '../../shared/node-cpu/types';
import type { Clock } from '../../shared/clock';
import type { Logger } from '../../shared/log';
import type { CpuSchedulerMetrics } from '../metrics';
import { leftNodesOf } from '../policy/left-nodes';
import type {
  Binder,
  ClusterSink,
  ClusterWatch,
  Disruptions,
  Evictor,
  Leadership,
  Notices,
} from '../ports';
import type { CpuSchedulerSettings } from '../settings';
import type { FilterContext, PodInfo } from '../types';
import { Cluster } from './cluster';
import { DecisionHistory } from './explain';
import { Offloading } from './offloading';
import { Placement } from './placement';
import { PendingQueue } from './queue';
import { ReadingLoop } from './readings';
import { Reservations } from './reservations';

/** The outside, as the scheduler is wired to it. */
export interface Outside {
  readonly watch: ClusterWatch;
  readonly cpu: CpuMetrics;
  readonly binder: Binder;
  readonly evictor: Evictor;
  readonly disruptions: Disruptions;
  readonly notices: Notices;
  readonly leadership: Leadership;
}

/** While a new leader waits for CPU readings, it looks this often whether they are there. */
const FIRST_READING_PAUSE_MS = 250;
/** Estimates are brought up to date this often even where no CPU is read (on a replica that stands by). */
const ROUND_MS = 1000;

/** Observe, decide, look again, act, record: for placing and for offloading. */
export class Scheduler {
  readonly cluster: Cluster;
  readonly queue: PendingQueue;
  readonly decisions: DecisionHistory;
  readonly readings: ReadingLoop;
  readonly offloading: Offloading;
  readonly #placement: Placement;
  readonly #reservations: Reservations;
  #leading = false;

  constructor(
    private readonly outside: Outside,
    readonly settings: CpuSchedulerSettings,
    private readonly clock: Clock,
    log: Logger,
    private readonly metrics: CpuSchedulerMetrics,
  ) {
    const { binder, notices, leadership, evictor, disruptions, cpu } = outside;
    const common = { settings, clock, log, metrics, notices };
    this.cluster = new Cluster(settings);
    this.queue = new PendingQueue(settings);
    this.decisions = new DecisionHistory(settings.explainHistory);
    this.readings = new ReadingLoop(this.cluster, cpu, settings, clock, log, metrics);
    this.#reservations = new Reservations(this.cluster);
    const { cluster, queue } = this;
    this.offloading = new Offloading({
      ...common,
      cluster,
      leadership,
      evictor,
      disruptions,
      reservations: this.#reservations,
    });
    this.#placement = new Placement({
      ...common,
      cluster,
      queue,
      binder,
      history: this.decisions,
      leadership: { isLeader: () => this.#leading && leadership.isLeader() },
      prepare: (pod) => {
        this.#reservations.release(pod.owner?.uid, clock.nowMs());
        return this.contextOf(pod);
      },
    });
    this.readings.onRead = () => this.#placement.poke();
  }

  /** Whether it acts: leader, everything listed, and the first readings asked for. */
  get leading(): boolean {
    return this.#leading && this.outside.leadership.isLeader();
  }

  /** What filters look at for a pod now. */
  contextOf(pod: PodInfo): FilterContext {
    const { offloadAvoidMs } = this.settings;
    const { evictions } = this.offloading;
    return {
      keepAways: this.cluster.keepAways,
      leftNodes: leftNodesOf(pod, evictions, offloadAvoidMs, this.clock.nowMs()),
    };
  }

  /** Runs until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const active = (): boolean => this.outside.leadership.isLeader();
    await Promise.all([
      this.outside.watch.run(this.#sink(), signal),
      this.readings.run(active, signal),
      this.offloading.run(signal),
      this.#rounds(signal),
    ]);
  }

  /** This replica has become the leader, and takes over the evictions that are on record. */
  async startLeading(): Promise<void> {
    this.metrics.leader.set(1);
    await this.offloading.restore();
    while (!this.outside.watch.synced && this.outside.leadership.isLeader()) {
      await this.clock.sleep(50);
    }
    await this.#firstReadings();
    this.#leading = this.outside.leadership.isLeader();
    this.#placement.poke();
  }

  /** Awaits CPU readings, for a while: a Prometheus that has just started has none to give yet. */
  async #firstReadings(): Promise<void> {
    const { firstReadingWaitMs } = this.settings;
    const sinceMs = this.clock.monotonicMs();
    const isOver = () => this.clock.monotonicMs() - sinceMs >= firstReadingWaitMs;
    await Promise.race([this.readings.once(), this.clock.sleep(firstReadingWaitMs)]);
    while (this.readings.state.fallback && !isOver() && this.outside.leadership.isLeader())
      await this.clock.sleep(FIRST_READING_PAUSE_MS);
  }

  /** This replica is not the leader any more: nothing more is sent, and what is kept for later is let go. */
  stopLeading(): void {
    this.#leading = false;
    this.metrics.leader.set(0);
    this.readings.standBy();
    this.#placement.halt();
    this.#reservations.clear(this.clock.nowMs());
  }

  async #rounds(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.clock.sleep(ROUND_MS, signal);
      this.metrics.leader.set(this.leading ? 1 : 0);
      if (this.leading) this.readings.publish();
      this.metrics.pendingPods.set(this.queue.size);
      this.#placement.poke();
    }
  }

  #sink(): ClusterSink {
    const { cluster, queue, clock } = this;
    const placement = this.#placement;
    return {
      setNode: (node) => {
        cluster.setNode(node, clock.nowMs());
        placement.poke();
      },
      removeNode: (node) => {
        cluster.removeNode(node);
        placement.poke();
      },
      setPending: (pod) => {
        queue.set(pod);
        placement.seen(pod);
        placement.poke();
      },
      removePending: (pod) => {
        queue.remove(pod.uid);
        placement.unseen(pod.uid);
      },
      setBound: (pod) => cluster.setBound(pod, clock.nowMs()),
      removeBound: (pod) => {
        cluster.remove(pod.uid, clock.nowMs());
        placement.poke();
      },
    };
  }
}
