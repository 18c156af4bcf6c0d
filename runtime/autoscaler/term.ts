import type { Logger } from '../shared/log';
import { Loop, type Observed } from './loop';
import type { AutoscalerMetrics } from './metrics';
import type { Context, Outside } from './operations/context';
import { Operations } from './operations/operations';
import type { ReconcileReport } from './operations/reconciler';
import { onlyWhileLeader, type Leadership } from './only-while-leader';
import type { Events } from './ports';
import type { OperationSettings, ScalingSettings } from './settings';
import type { Decision, Snapshot } from './types';

/** What a term works with. */
export interface TermParts {
  readonly outside: Outside;
  readonly leadership: Leadership;
  readonly settings: OperationSettings & ScalingSettings;
  readonly metrics: AutoscalerMetrics;
  readonly events: Events;
  readonly log: Logger;
  observe(): Observed;
  /** Told what each cycle decided. */
  decided(decision: Decision): void;
  /** Told of each decision and what it rests on, but in a dry run. */
  record?(decision: Decision, snapshot: Snapshot): void;
}

const RETRY_MS = 1000;
/** Two cycles are at least this far apart, however many pods begin to wait. */
const GAP_MS = 100;

/**
 * The time from becoming the leader until it ends: takes up what the journal holds, reconciles, then decides every
 * check_interval, and at once when pods begin to wait or use comes to its thresholds. What it has begun when it ends stops
 * at its next step, and stays in the journal for the next leader.
 */
export class Term {
  readonly loop: Loop;
  readonly #context: Context;
  readonly #end = new AbortController();
  #wake = new AbortController();
  #reconciling: Promise<ReconcileReport> | undefined;

  constructor(private readonly parts: TermParts) {
    const { outside, leadership, settings, metrics, events, log } = parts;
    this.#context = {
      ...onlyWhileLeader(outside, leadership),
      limits: settings,
      problem: (what, error) => {
        metrics.errors.inc({ type: 'operation' });
        log.warn({ err: error }, what);
      },
      signal: this.#end.signal,
    };
    this.loop = new Loop({
      ...{ settings, metrics, events, context: this.#context },
      operations: new Operations(this.#context),
      observe: () => parts.observe(),
      record: (decision, snapshot) => parts.record?.(decision, snapshot),
    });
  }

  /** Runs until it is ended, and nothing of it goes on. Never rejects. */
  async run(): Promise<void> {
    await this.#begin();
    if (!this.#over) {
      await this.reconcile();
      await Promise.all([this.#cycles(), this.#reconciliations()]);
    }
    await this.#reconciling?.catch(() => undefined);
    await this.loop.settled();
  }

  end(): void {
    this.#end.abort();
    this.#wake.abort();
  }

  /** Pods have begun to wait, or use has come to its thresholds: looks soon. */
  poke(): void {
    this.#wake.abort();
  }

  /** One cycle now; undefined while it cannot decide. */
  cycle(): Decision | undefined {
    const decision = this.loop.cycle();
    if (decision !== undefined) this.parts.decided(decision);
    return decision;
  }

  /** One round of reconciliation; one that is under way is waited for instead. */
  reconcile(): Promise<ReconcileReport> {
    this.#reconciling ??= this.loop.reconcile().finally(() => (this.#reconciling = undefined));
    return this.#reconciling;
  }

  get #over(): boolean {
    return this.#end.signal.aborted;
  }

  /** Reads the journal and what is beside it; tries until Redis answers. */
  async #begin(): Promise<void> {
    const { settings, log } = this.parts;
    const { live, clock } = this.#context;
    for (let failed = 0; !this.#over; failed += 1) {
      try {
        if (!settings.dryRun) await live.notePermanent([...settings.permanentWorkers]);
        await this.loop.start();
        return;
      } catch (error) {
        if (failed === 0) log.warn({ err: error }, 'the journal cannot be read: nothing is begun');
        await clock.sleep(RETRY_MS, this.#end.signal);
      }
    }
  }

  async #cycles(): Promise<void> {
    const { settings, log } = this.parts;
    const { clock } = this.#context;
    while (!this.#over) {
      this.#wake = new AbortController();
      try {
        this.cycle();
      } catch (error) {
        this.parts.metrics.errors.inc({ type: 'cycle' });
        log.error({ err: error }, 'a cycle failed');
      }
      const gapMs = Math.min(GAP_MS, settings.checkIntervalMs);
      await clock.sleep(gapMs, this.#end.signal);
      if (!this.#over) await clock.sleep(settings.checkIntervalMs - gapMs, this.#wake.signal);
    }
  }

  async #reconciliations(): Promise<void> {
    const { settings } = this.parts;
    for (;;) {
      await this.#context.clock.sleep(settings.reconcileIntervalMs, this.#end.signal);
      if (this.#over) return;
      this.loop.resume();
      await this.reconcile();
    }
  }
}
