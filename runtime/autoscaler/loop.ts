import type { AutoscalerMetrics } from './metrics';
import type { Context } from './operations/context';
import type { Operations, Result, Started } from './operations/operations';
import { reconcileOnce, type ReconcileReport } from './operations/reconciler';
import { decide, toRemove } from './policy/decide';
import type { Events } from './ports';
import type { ScalingSettings } from './settings';
import type { Decision, Kept, Snapshot } from './types';

/** What the watch and the readings show; what the operations know is added here. */
export type Observed = Omit<Snapshot, 'scaledUpAtMs' | 'scaledDownAtMs' | 'adding' | 'removing'>;

/** What the loop works with. */
export interface LoopParts {
  readonly context: Context;
  readonly operations: Operations;
  readonly settings: ScalingSettings;
  readonly metrics: AutoscalerMetrics;
  readonly events: Events;
  /** Answers from memory. */
  observe(): Observed;
  /** Told of each decision and what it rests on, which changes after that. */
  record?(decision: Decision, snapshot: Snapshot): void;
}

/**
 * Observes, decides and begins operations; they check anew what the decision rests on before they do anything. A cycle
 * asks neither Redis nor MongoDB.
 */
export class Loop {
  /** The last decision; undefined before the first. */
  last: Decision | undefined;
  lastReconciliation: ReconcileReport | undefined;
  #scaled: { up: number; down: number } | undefined;
  #ready = new Set<string>();
  #background = new Set<Promise<unknown>>();

  constructor(private readonly parts: LoopParts) {}

  /** Reads what an earlier life has left, and takes its operations up. Until it has worked, nothing is decided. */
  async start(): Promise<void> {
    const { live } = this.parts.context;
    const [up, down] = [await live.scaledAtMs('up'), await live.scaledAtMs('down')];
    await this.parts.operations.load();
    this.resume();
    this.#scaled = { up, down };
  }

  /** Takes up operations that were interrupted; they go on in the background. Not in a dry run. */
  resume(): void {
    if (this.parts.settings.dryRun) return;
    this.#behind(this.parts.operations.resume().then((results) => this.#ended(results)));
  }

  /** One look, one decision; what it begins goes on in the background. Undefined while it cannot decide. */
  cycle(): Decision | undefined {
    const { operations, settings, metrics, context } = this.parts;
    if (this.#scaled === undefined || operations.beginning || context.signal.aborted)
      return undefined;
    const snapshot = this.#snapshot(this.#scaled);
    const decision = decide(snapshot, settings, context.clock.nowMs());
    metrics.decided(decision);
    this.#tell(snapshot, decision);
    this.last = decision;
    if (!settings.dryRun) {
      this.parts.record?.(decision, snapshot);
      this.#act(decision);
    }
    return decision;
  }

  /** Whether it has read what an earlier life has left, and so may decide. */
  get started(): boolean {
    return this.#scaled !== undefined;
  }

  /** When it last grew and shrank, ms since 1970; 0 for never. Undefined before it has started. */
  get scaledAtMs(): { readonly up: number; readonly down: number } | undefined {
    return this.#scaled;
  }

  /** Begins to add workers because somebody asks for it, within max_nodes; they go on in the background. */
  async scaleUp(count: number, reason: string): Promise<Started> {
    return this.#watch(await this.parts.operations.startUp(count, reason));
  }

  /** Begins to remove the last in that can go, whatever the load and the cooldown; they go on in the background. */
  async scaleDown(
    count: number,
    reason: string,
  ): Promise<Started & { readonly kept: readonly Kept[] }> {
    const { nodes, kept } = this.removable(count);
    const started = await this.parts.operations.startDown(nodes, reason);
    return { ...this.#watch(started), kept };
  }

  /** Workers that would go if so many were to, and those that were looked at and stay. */
  removable(count: number): ReturnType<typeof toRemove> {
    const { settings, context } = this.parts;
    if (this.#scaled === undefined) return { nodes: [], kept: [] };
    return toRemove(this.#snapshot(this.#scaled), settings, count, context.clock.nowMs());
  }

  /** One round of reconciliation. */
  async reconcile(): Promise<ReconcileReport> {
    const { context, metrics, events } = this.parts;
    const report = await reconcileOnce(context);
    this.lastReconciliation = report;
    metrics.reconciled(report);
    events.send('ClusterStateSynced', { atMs: report.atMs, fixed: report.fixed.length });
    return report;
  }

  /** Waits until nothing goes on in the background. */
  async settled(): Promise<void> {
    while (this.#background.size > 0) await Promise.all(this.#background);
  }

  #snapshot(scaled: { readonly up: number; readonly down: number }): Snapshot {
    const { open } = this.parts.operations;
    const of = (kind: 'up' | 'down'): Set<string> =>
      new Set(open.filter((one) => one.kind === kind).map(({ worker }) => worker));
    return {
      ...this.parts.observe(),
      ...{ scaledUpAtMs: scaled.up, scaledDownAtMs: scaled.down },
      ...{ adding: of('up'), removing: of('down') },
    };
  }

  #watch<T extends Started>(started: T): T {
    this.#behind(started.ended.then((results) => this.#ended(results)));
    return started;
  }

  #act(decision: Decision): void {
    const { operations } = this.parts;
    if (decision.kind === 'up')
      this.#behind(
        operations.scaleUp(decision.count, decision.reason).then((results) => this.#ended(results)),
      );
    if (decision.kind === 'down')
      this.#behind(
        operations
          .scaleDown(decision.nodes, decision.reason)
          .then(({ results }) => this.#ended(results)),
      );
  }

  #ended(results: readonly Result[]): void {
    const { metrics, events, context } = this.parts;
    for (const result of results) {
      metrics.operated(result);
      if (result.outcome === 'interrupted') continue;
      const { kind, id, worker, reason } = result.operation;
      const atMs = context.clock.nowMs();
      if (this.#scaled !== undefined) this.#scaled[kind] = atMs;
      events.send('ScalingCompleted', {
        ...{ id, worker, reason, atMs, outcome: result.outcome },
        kind: kind === 'up' ? 'scale_up' : 'scale_down',
      });
    }
  }

  #behind(work: Promise<unknown>): void {
    const { context, metrics } = this.parts;
    const noted = work
      .catch((error: unknown) => {
        metrics.errors.inc({ type: 'operation' });
        context.problem('operations could not begin', error);
      })
      .finally(() => this.#background.delete(noted));
    this.#background.add(noted);
  }

  #tell({ nodes, synced }: Observed, decision: Decision): void {
    const { events, settings } = this.parts;
    if (!synced) return;
    const { pending, workers } = decision.evidence;
    const { atMs } = decision;
    if (pending > 0) events.send('PendingPodsDetected', { atMs, pods: pending });
    if (decision.kind === 'up' && decision.trigger === 'minimum')
      events.send('MinimumNodeEnforcement', { workers, minNodes: settings.minNodes });
    if (decision.kind === 'hold' && this.last?.kind !== 'hold')
      events.send('OptimalStateTrigger', { atMs, workers });
    const ready = new Set<string>();
    for (const { worker, info } of nodes.values()) {
      if (!worker) continue;
      if (info.ready) ready.add(info.name);
      else if (this.#ready.has(info.name))
        events.send('NodeHealthDegraded', { node: info.name, why: 'it is not Ready any more' });
    }
    this.#ready = ready;
  }
}
