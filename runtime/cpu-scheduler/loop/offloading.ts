import type { Clock } from '../../shared/clock';
import { isSame, lostLately } from '../../shared/disruptions/types';
import type { Logger } from '../../shared/log';
import type { CpuSchedulerMetrics } from '../metrics';
import { offload, type OffloadSettings } from '../policy/offload';
import type { Disruptions, EvictOutcome, Evictor, Leadership, Notices } from '../ports';
import type { Eviction, OffloadDecision } from '../types';
import type { Cluster } from './cluster';
import type { Reservations } from './reservations';

/** The settings of the loop. */
export interface OffloadLoopSettings extends OffloadSettings {
  readonly offloadIntervalMs: number;
  readonly offloadDryRun: boolean;
  readonly offloadReserveMs: number;
}

/** What offloading works with. */
export interface OffloadParts {
  readonly cluster: Cluster;
  readonly reservations: Reservations;
  readonly evictor: Evictor;
  readonly disruptions: Disruptions;
  readonly notices: Notices;
  readonly leadership: Leadership;
  readonly settings: OffloadLoopSettings;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: CpuSchedulerMetrics;
}

/** How long a pod that a PodDisruptionBudget protected is left alone, so that another has its turn. */
const SPARE_MS = 120_000;

/** By what name its evictions are on record. */
const NAME = 'cpu-scheduler';

/**
 * Looks for hot nodes every interval, and moves pods off them. What is to be evicted is recorded before it is, where all
 * that evict record it: a leader that ends in between leaves no eviction unknown. What then was not evicted is taken
 * out again.
 */
export class Offloading {
  #evictions: readonly Eviction[] = [];
  readonly #sparedUntilMs = new Map<string, number>();

  constructor(private readonly parts: OffloadParts) {}

  /** The evictions of the last while, which placing has to know as well. */
  get evictions(): readonly Eviction[] {
    return this.#evictions;
  }

  /** Takes over what is on record. Never rejects: nothing is evicted before the record could be read. */
  async restore(): Promise<void> {
    try {
      this.#take(await this.parts.disruptions.read());
    } catch (error) {
      this.parts.log.error({ err: error }, 'the record of evictions cannot be read');
    }
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, settings, leadership, log } = this.parts;
    while (!signal.aborted) {
      await clock.sleep(settings.offloadIntervalMs, signal);
      if (signal.aborted || !leadership.isLeader()) continue;
      try {
        await this.once();
      } catch (error) {
        log.error({ err: error }, 'offloading failed');
      }
    }
  }

  /** One look. @throws when the record could not be read or written; nothing was evicted then. */
  async once(): Promise<void> {
    const { cluster, settings, clock, disruptions, leadership } = this.parts;
    this.#take(await disruptions.read());
    const nodes = [...cluster.all];
    const nowMs = clock.nowMs();
    const snapshot = {
      nodes,
      evictions: this.#evictions,
      keepAways: cluster.keepAways,
      spared: new Set(this.#sparedUntilMs.keys()),
    };
    const decisions = offload(snapshot, settings, nowMs);
    if (decisions.length === 0) return;
    if (settings.offloadDryRun) {
      for (const decision of decisions) this.#report(decision, 'dry_run', 'would be evicted');
      return;
    }
    let agreed: readonly OffloadDecision[] = [];
    const recorded = await disruptions.change((now) => {
      if (!leadership.isLeader()) throw new Error('not the leader any more');
      // Another may have evicted a pod of the same owner since the decision.
      agreed = decisions.filter(
        (one) => !lostLately(now, evictionOf(one, nowMs), settings.offloadCooldownMs, nowMs),
      );
      return [...now, ...agreed.map((one) => evictionOf(one, nowMs))];
    });
    this.#take(recorded);
    const undone: Eviction[] = [];
    for (const decision of agreed) {
      if (!(await this.#evict(decision, nowMs))) undone.push(evictionOf(decision, nowMs));
    }
    if (undone.length === 0) return;
    const isUndone = (one: Eviction): boolean => undone.some((other) => isSame(one, other));
    this.#take(await disruptions.change((now) => now.filter((one) => !isUndone(one))));
  }

  /** Carries one out; false when the pod was not evicted. */
  async #evict(decision: OffloadDecision, nowMs: number): Promise<boolean> {
    const { evictor, leadership, reservations, notices, settings, clock } = this.parts;
    const { pod, target } = decision;
    reservations.keep(pod, target, clock.nowMs(), settings.offloadReserveMs);
    const outcome: EvictOutcome = leadership.isLeader()
      ? await evictor.evict(pod)
      : { kind: 'failed', message: 'not the leader any more' };
    const message = 'message' in outcome ? outcome.message : 'evicted';
    this.#report(decision, outcome.kind, message);
    // After a failure without an answer the pod may be gone: the record stays, so that it is not evicted again.
    if (outcome.kind === 'evicted' || outcome.kind === 'failed') {
      if (outcome.kind === 'evicted') notices.offloaded(pod, `Evicted: ${decision.reason}`);
      return true;
    }
    if (outcome.kind === 'protected') this.#sparedUntilMs.set(pod.uid, nowMs + SPARE_MS);
    reservations.release(pod.owner?.uid, clock.nowMs());
    return false;
  }

  #report(decision: OffloadDecision, outcome: string, message: string): void {
    const { log, metrics } = this.parts;
    const { pod, node, target, reason } = decision;
    metrics.evictions.inc({ outcome });
    log.info(
      { pod: `${pod.namespace}/${pod.name}`, node, target, reason, outcome, message },
      'offload',
    );
  }

  /** Takes over the record, without what says nothing any longer. */
  #take(recorded: readonly Eviction[]): void {
    const { clock, settings } = this.parts;
    const lifeMs = Math.max(settings.offloadCooldownMs, settings.offloadAvoidMs);
    const nowMs = clock.nowMs();
    this.#evictions = recorded.filter(({ atMs }) => nowMs - atMs < lifeMs);
    for (const [uid, untilMs] of this.#sparedUntilMs) {
      if (untilMs <= nowMs) this.#sparedUntilMs.delete(uid);
    }
  }
}

const evictionOf = ({ pod, node }: OffloadDecision, atMs: number): Eviction => ({
  podUid: pod.uid,
  pod: `${pod.namespace}/${pod.name}`,
  ownerUid: pod.owner?.uid ?? '',
  node,
  atMs,
  by: NAME,
});
