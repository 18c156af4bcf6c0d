import { setMaxListeners } from 'node:events';
import type { Clock } from '../shared/clock';
import type { Logger } from '../shared/log';
import { EventBus, BUS_DEFAULTS } from './events/bus';
import { handleEvents } from './events/handlers';
import { cycleFields } from './log/cycle-text';
import type { AutoscalerMetrics } from './metrics';
import type { Outside } from './operations/context';
import { sendEvents } from './operations/reconciler';
import { onlyWhileLeader, type Leadership } from './only-while-leader';
import type { ClusterWatch, Decisions } from './ports';
import type { AutoscalerSettings } from './settings';
import { Dependencies } from './state/dependencies';
import { DecisionRecorder } from './state/recorder';
import { UsageCrossing } from './state/usage-crossing';
import type { View } from './state/view';
import { Term } from './term';
import type { Decision } from './types';

/** What reads something of the nodes, again and again. */
export interface ReadingTask {
  /** What is wrong since the last look; undefined when it went well. */
  readonly problem: string | undefined;
  run(signal: AbortSignal): Promise<void>;
}

/** What the service is made of. */
export interface ServiceParts {
  readonly outside: Outside;
  readonly decisions: Decisions;
  readonly watch: ClusterWatch;
  readonly view: View;
  readonly cpu: ReadingTask;
  readonly memory: ReadingTask;
  readonly leadership: Leadership & { readonly holder: string | undefined };
  readonly settings: AutoscalerSettings;
  readonly metrics: AutoscalerMetrics;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What it talks to beside Kubernetes and Prometheus, which tell by themselves. */
export type Store = 'redis' | 'mongodb' | 'docker';
const CHECK_MS = 5000;
/** So many parts wait for the end at the same time at most: watches, readings and looks at the stores. More is a leak. */
const MOST_WAITING = 24;
/** Time between two looks whether everything was listed. */
const LISTED_MS = 100;

/** One replica: follows the cluster all the time, and acts while it leads. */
export class Autoscaler {
  readonly bus: EventBus;
  readonly stores: Dependencies<Store>;
  #term: Term | undefined;
  #terms: Promise<void> = Promise.resolve();
  readonly #recorder: DecisionRecorder;
  readonly #crossing: UsageCrossing;
  #cycles = 0;
  #lastReason = '';

  constructor(readonly parts: ServiceParts) {
    const { outside, view, metrics, clock, log, leadership } = parts;
    this.bus = new EventBus(clock, BUS_DEFAULTS, (why, error) => {
      metrics.errors.inc({ type: 'event_bus' });
      log.warn({ err: error }, why);
    });
    handleEvents(
      this.bus,
      {
        tellHistory: () => sendEvents(onlyWhileLeader(outside, leadership)),
        reconcile: async () => this.#term?.reconcile(),
      },
      log,
    );
    this.stores = new Dependencies<Store>(
      {
        redis: () => outside.live.counter(),
        mongodb: () => outside.history.events({ limit: 1 }),
        docker: () => outside.containers.list(),
      },
      CHECK_MS,
      clock,
      (store, why) => {
        if (why === undefined) log.info({ store }, 'can be reached again');
        else log.warn({ store, why }, 'cannot be reached');
      },
    );
    this.#recorder = new DecisionRecorder({
      decisions: parts.decisions,
      intervalMs: parts.settings.decisionIntervalMs,
      failed: (why, error) => {
        metrics.errors.inc({ type: 'decision_record' });
        log.debug({ why, err: error }, 'a decision is not there for replay');
      },
    });
    view.onWaiting = () => this.#term?.poke();
    this.#crossing = new UsageCrossing({
      settings: parts.settings,
      nodes: () => view.observe().nodes.values(),
      nowMs: () => clock.nowMs(),
      onHigh: () => this.#term?.poke(),
    });
  }

  /** CPU or memory was read: looks at once if both have come to their thresholds. */
  usageRead(): void {
    this.#crossing.read();
  }

  /** The time that this replica leads; undefined while it stands by. */
  get term(): Term | undefined {
    return this.parts.leadership.isLeader() ? this.#term : undefined;
  }

  /** Follows cluster, readings and stores until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { watch, view } = this.parts;
    // Node warns from eleven on, which are there when nothing can be reached.
    setMaxListeners(MOST_WAITING, signal);
    await this.bus.start();
    await Promise.all([watch.run(view, signal), this.#read(signal), this.stores.run(signal)]);
  }

  /** This replica has become the leader. */
  startLeading(): void {
    const { outside, leadership, settings, metrics, log, view } = this.parts;
    this.stopLeading();
    const term = new Term({
      ...{ outside, leadership, settings, metrics, log, events: this.bus },
      observe: () => view.observe(),
      decided: (decision) => this.#decided(decision),
      record: (decision, snapshot) => this.#recorder.note(decision, snapshot),
    });
    this.#term = term;
    metrics.leader.set(1);
    // What an earlier term has begun comes to its end first.
    this.#terms = this.#terms.then(() => term.run());
  }

  /** This replica is not the leader any more, or stops: what is under way ends at its next step. */
  stopLeading(): void {
    this.#term?.end();
    this.#term = undefined;
    this.parts.metrics.leader.set(0);
  }

  /** Waits until nothing is under way, but not for longer than this. @returns whether nothing is. */
  async settled(limitMs: number): Promise<boolean> {
    const over = new AbortController();
    const late = this.parts.clock.sleep(limitMs, over.signal).then(() => false);
    const settled = await Promise.race([this.#terms.then(() => true), late]);
    over.abort();
    return settled;
  }

  /** Reads what nodes use, once it is known which there are: readings are told apart by their names and addresses. */
  async #read(signal: AbortSignal): Promise<void> {
    const { watch, cpu, memory, clock } = this.parts;
    while (!watch.synced && !signal.aborted) await clock.sleep(LISTED_MS, signal);
    await Promise.all([cpu.run(signal), memory.run(signal)]);
  }

  #decided(decision: Decision): void {
    const { log, settings } = this.parts;
    this.#cycles += 1;
    const { kind, reason } = decision;
    const same = kind === 'hold' && reason === this.#lastReason;
    this.#lastReason = reason;
    // Every few seconds the same would be said again; who reads along wants to see each.
    const quiet = same && settings.logFormat !== 'pretty';
    log[quiet ? 'debug' : 'info'](cycleFields(this.#cycles, settings.dryRun, decision), 'cycle');
  }
}
