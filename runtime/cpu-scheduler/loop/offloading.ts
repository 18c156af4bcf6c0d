import type { Clock } from '../../shared/clock';
import type { Logger } from '../../shared/log';
import type { CpuSchedulerMetrics } from '../metrics';
import { offload, type OffloadSettings } from '../policy/offload';
import type { EvictOutcome, Evictor, History, Leadership, Notices } from '../ports';
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
  readonly history: History;
  readonly notices: Notices;
  readonly leadership: Leadership;
  readonly settings: OffloadLoopSettings;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: CpuSchedulerMetrics;
}

/** How long a pod that a PodDisruptionBudget protected is left alone, so that another has its turn. */
const SPARE_MS = 120_000;

/**
 * Looks for hot nodes every interval, and moves pods off them. What is to be evicted is saved before it is, so that a
 * leader that ends in between leaves no eviction unknown; what then was not evicted is taken out again.
 */
export class Offloading {
  #evictions: readonly Eviction[] = [];
  readonly #sparedUntilMs = new Map<string, number>();

  constructor(private readonly parts: OffloadParts) {}

  /** The evictions of the last while, which placing has to know as well. */
  get evictions(): readonly Eviction[] {
    return this.#evictions;
  }

  /** Takes over what the last leader left. */
  restore(evictions: readonly Eviction[]): void {
    this.#evictions = evictions;
    this.#forgetOld();
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

  /** One look. @throws when what is to be evicted could not be saved; nothing was evicted then. */
  async once(): Promise<void> {
    const { cluster, settings, clock, history } = this.parts;
    this.#forgetOld();
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
    const before = this.#evictions;
    this.#evictions = [...before, ...decisions.map((decision) => evictionOf(decision, nowMs))];
    try {
      await history.save(this.#evictions);
    } catch (error) {
      this.#evictions = before;
      throw error;
    }
    let undone = false;
    for (const decision of decisions) {
      const kept = await this.#evict(decision, nowMs);
      undone ||= !kept;
    }
    if (undone) await history.save(this.#evictions);
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
    this.#evictions = this.#evictions.filter(
      ({ podUid, atMs }) => podUid !== pod.uid || atMs !== nowMs,
    );
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

  #forgetOld(): void {
    const { clock, settings } = this.parts;
    const lifeMs = Math.max(settings.offloadCooldownMs, settings.offloadAvoidMs);
    const nowMs = clock.nowMs();
    this.#evictions = this.#evictions.filter(({ atMs }) => nowMs - atMs < lifeMs);
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
});
