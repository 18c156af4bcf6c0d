import { setMaxListeners } from 'node:events';
import type { Clock } from '../../shared/clock';
import type { Logger } from '../../shared/log';
import { bindingAnnotations } from '../annotations';
import type { CpuSchedulerMetrics } from '../metrics';
import { choose, verdictOn, type ChooseSettings } from '../policy/choose';
import { rejection } from '../policy/feasible';
import type { Binder, BindOutcome, Leadership, Notices } from '../ports';
import type { Decision, FilterContext, PodInfo } from '../types';
import type { Cluster } from './cluster';
import type { DecisionHistory, KeptDecision } from './explain';
import type { PendingQueue } from './queue';

type BindDecision = Extract<Decision, { kind: 'bind' }>;
type WaitDecision = Extract<Decision, { kind: 'wait' }>;

/** The settings of placing. */
export interface PlacementSettings extends ChooseSettings {
  readonly bindConcurrency: number;
  readonly assumeTtlMs: number;
  readonly explainAllNodes: number;
}

/** What placing works with. */
export interface PlacementParts {
  readonly cluster: Cluster;
  readonly queue: PendingQueue;
  readonly binder: Binder;
  readonly notices: Notices;
  readonly history: DecisionHistory;
  readonly leadership: Leadership;
  /** What filters look at for this pod; also lets go of the room kept for it. */
  prepare(pod: PodInfo): FilterContext;
  readonly settings: PlacementSettings;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: CpuSchedulerMetrics;
}

/** Longest that deciding keeps the process from answering and renewing, in milliseconds. */
const SLICE_MS = 10;

/** Takes pods from the queue, decides, binds, many bindings at once. Acts only while leader. */
export class Placement {
  #inFlight = 0;
  #scheduled = false;
  #timer: NodeJS.Timeout | undefined;
  #stop = manyListeners();
  readonly #firstSeenMs = new Map<string, number>();
  /** Verdicts that hold for every pod of a class until there may be more room. */
  readonly #hopeless = new Map<string, WaitDecision>();
  #hopelessVersion = -1;

  constructor(private readonly parts: PlacementParts) {}

  /** Something may have changed: looks whether there is something to do, soon. */
  poke(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#run();
    });
  }

  /** A pod waits; remembers since when. */
  seen(pod: PodInfo): void {
    if (!this.#firstSeenMs.has(pod.uid)) {
      this.#firstSeenMs.set(pod.uid, this.parts.clock.monotonicMs());
    }
  }

  /** A pod waits no more. */
  unseen(uid: string): void {
    this.#firstSeenMs.delete(uid);
  }

  /** Ends the bindings in flight, whose outcome the next leader finds in the cluster. */
  halt(): void {
    this.#stop.abort();
    this.#stop = manyListeners();
  }

  #run(): void {
    const { queue, cluster, clock, leadership, settings, metrics } = this.parts;
    clearTimeout(this.#timer);
    if (!leadership.isLeader()) return;
    const nextMs = queue.wake(clock.nowMs(), cluster.roomVersion);
    if (nextMs !== undefined) {
      this.#timer = setTimeout(() => this.poke(), Math.max(10, nextMs - clock.nowMs()));
    }
    const untilMs = clock.monotonicMs() + SLICE_MS;
    while (this.#inFlight < settings.bindConcurrency) {
      const pod = queue.next();
      if (pod === undefined) break;
      this.#place(pod);
      if (clock.monotonicMs() > untilMs) {
        this.poke();
        break;
      }
    }
    metrics.pendingPods.set(queue.size);
    metrics.inFlight.set(this.#inFlight);
  }

  #place(pod: PodInfo): void {
    const { cluster, queue, clock, metrics } = this.parts;
    if (pod.deleting || cluster.isPlaced(pod.uid)) {
      queue.remove(pod.uid);
      return;
    }
    const started = clock.monotonicMs();
    const context = this.parts.prepare(pod);
    const decision = this.#decide(pod, context);
    metrics.decisionSeconds.observe((clock.monotonicMs() - started) / 1000);
    const before = this.parts.history.get(pod.namespace, pod.name)?.decision;
    const kept = this.#keep(pod, decision, context);
    if (decision.kind === 'wait') {
      this.#wait(pod, decision, before?.kind !== 'wait' || before.message !== decision.message);
    } else void this.#bind(pod, decision, context, kept);
  }

  #decide(pod: PodInfo, context: FilterContext): Decision {
    const { cluster, settings, clock } = this.parts;
    const general = context.leftNodes.size === 0 && context.keepAways.length === 0;
    if (this.#hopelessVersion !== cluster.roomVersion) {
      this.#hopeless.clear();
      this.#hopelessVersion = cluster.roomVersion;
    }
    const known = general ? this.#hopeless.get(pod.schedulingClass) : undefined;
    if (known !== undefined) {
      return { ...known, pod: { uid: pod.uid, namespace: pod.namespace, name: pod.name } };
    }
    const decision = choose(pod, cluster, context, settings, clock.nowMs());
    if (general && decision.kind === 'wait') this.#hopeless.set(pod.schedulingClass, decision);
    return decision;
  }

  #keep(pod: PodInfo, decision: Decision, context: FilterContext): KeptDecision {
    const { cluster, settings, clock, history } = this.parts;
    const nowMs = clock.nowMs();
    const small = cluster.count <= settings.explainAllNodes;
    const kept: KeptDecision = {
      atMs: nowMs,
      decision,
      outcome: decision.kind === 'wait' ? 'waits' : 'being bound',
      ...(small && {
        nodes: [...cluster.all].map((node) => verdictOn(pod, node, context, settings, nowMs)),
      }),
    };
    history.keep(kept);
    return kept;
  }

  #wait(pod: PodInfo, decision: WaitDecision, news: boolean): void {
    const { queue, cluster, clock, notices, log, metrics } = this.parts;
    metrics.unschedulable.inc();
    log[news ? 'info' : 'debug']({ pod: nameOf(pod), reason: decision.message }, 'pod waits');
    notices.failedScheduling(decision.pod, decision.message);
    queue.retry(pod.uid, clock.nowMs(), { roomVersion: cluster.roomVersion });
    this.poke();
  }

  async #bind(
    pod: PodInfo,
    decision: BindDecision,
    context: FilterContext,
    kept: KeptDecision,
  ): Promise<void> {
    const { cluster, queue, binder, clock, leadership, metrics, log } = this.parts;
    const node = decision.chosen.node;
    const view = cluster.node(node);
    // Looked at again right before acting: still leader, still pending, the node still takes it.
    if (!leadership.isLeader() || queue.get(pod.uid) === undefined) return queue.retry(pod.uid, 0);
    if (view === undefined || rejection(pod, view, context) !== undefined) {
      return queue.retry(pod.uid, clock.nowMs());
    }
    cluster.assume(pod, node, clock.nowMs());
    this.#inFlight += 1;
    const sentMs = clock.monotonicMs();
    let outcome: BindOutcome;
    try {
      const annotations = bindingAnnotations(decision.chosen);
      outcome = await binder.bind(decision.pod, node, annotations, this.#stop.signal);
      while (outcome.kind === 'unknown') {
        log.warn(
          { pod: nameOf(pod), node, why: outcome.message },
          'outcome of a binding is unknown',
        );
        metrics.bindFailures.inc({ kind: 'unknown' });
        await clock.sleep(500);
        outcome = await binder.look(decision.pod, node);
      }
    } catch (error) {
      outcome = { kind: 'retry', message: error instanceof Error ? error.message : String(error) };
    }
    this.#inFlight -= 1;
    metrics.bindSeconds.observe((clock.monotonicMs() - sentMs) / 1000);
    this.#settle(pod, decision, outcome, kept);
    this.poke();
  }

  #settle(pod: PodInfo, decision: BindDecision, outcome: BindOutcome, kept: KeptDecision): void {
    const { cluster, queue, clock, metrics, log, notices, settings } = this.parts;
    const node = decision.chosen.node;
    const nowMs = clock.nowMs();
    const about = { pod: nameOf(pod), node };
    kept.outcome = outcome.kind;
    if (outcome.kind === 'bound') {
      cluster.confirm(pod.uid, nowMs + settings.assumeTtlMs);
      queue.remove(pod.uid);
      const { basis } = decision.chosen.cpu;
      metrics.bound.inc({ basis });
      const since = this.#firstSeenMs.get(pod.uid);
      if (since !== undefined) metrics.waitSeconds.observe((clock.monotonicMs() - since) / 1000);
      this.unseen(pod.uid);
      log.info({ ...about, reason: decision.reason }, 'pod bound');
      notices.scheduled(decision.pod, node);
      if (basis === 'requested') notices.readingsUnknown(decision.pod, node);
      return;
    }
    cluster.forget(pod.uid, nowMs);
    metrics.bindFailures.inc({ kind: outcome.kind });
    if (outcome.kind === 'retry') {
      log.warn({ ...about, why: outcome.message }, 'binding refused, trying again');
      queue.retry(pod.uid, nowMs, {
        ...(outcome.afterMs !== undefined && { afterMs: outcome.afterMs }),
      });
    } else {
      log.info({ ...about, outcome: outcome.kind }, 'pod dropped');
      queue.remove(pod.uid);
      this.unseen(pod.uid);
    }
  }
}

/** One listener for each binding in flight is no leak. */
function manyListeners(): AbortController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  return controller;
}

const nameOf = ({ namespace, name }: PodInfo): string => `${namespace}/${name}`;
