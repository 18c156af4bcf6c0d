import type { Clock } from '../shared/clock';
import type { ExternalScalerMetrics } from './metrics';
import { BerthTable, type BerthOptions } from './policy/berths';
import { Ledger } from './policy/ledger';
import type { ClusterWatch, ControllerSource, CpuSource } from './ports';
import type { ExternalScalerSettings } from './settings';
import type { Cluster } from './state/cluster';
import type { BerthNode, Decision, Demand, World } from './types';

/** What the scaler knows the world by; all of it is in memory. */
export interface ScalerSources {
  readonly cluster: Cluster;
  readonly watch: Pick<ClusterWatch, 'synced' | 'silentMs'>;
  readonly cpu: CpuSource;
  /** Absent: it counts for itself. */
  readonly controller?: ControllerSource | undefined;
}

/** Ages grow while nothing changes: a world is as good as new for this long. */
const WORLD_LIFE_MS = 1000;

/** Puts what is known together, and lets the ledger answer. Nothing is read or written on a request. */
export class Scaler {
  readonly ledger: Ledger;
  readonly berthOptions: BerthOptions;
  readonly #startedAtMs: number;
  readonly #listeners = new Set<() => void>();
  #world: { readonly world: World; readonly atMs: number } | undefined;
  #version = 0;
  #notifying = false;

  constructor(
    private readonly sources: ScalerSources,
    readonly settings: ExternalScalerSettings,
    private readonly clock: Clock,
    private readonly metrics: ExternalScalerMetrics,
  ) {
    this.#startedAtMs = clock.monotonicMs();
    this.berthOptions = {
      maxAgeMs: settings.readingMaxAgeMs,
      excluded: new Set(settings.excludeNodes),
    };
    this.ledger = new Ledger(settings, (event) => {
      metrics.grantEvents.inc({ event });
      this.#notify();
    });
  }

  /** Answers a ScaledJob, and promises it a berth if it is its turn. */
  request(key: string, demand: Demand): Decision {
    const decision = this.ledger.request(key, demand, this.clock.monotonicMs(), this.world());
    this.metrics.answers.inc({ rule: decision.rule });
    return decision;
  }

  /** What request would answer, without asking. */
  peek(key: string, demand: Demand): Decision {
    return this.ledger.peek(key, demand, this.clock.monotonicMs(), this.world());
  }

  /** Something that answers rest on has changed. */
  changed(): void {
    this.#world = undefined;
    this.#notify();
  }

  /** To be called about every second: forgets, lets ages grow, and tells listeners. */
  tick(): void {
    this.ledger.sweep(this.clock.monotonicMs(), this.world());
    this.#notify();
  }

  /** Calls back some time after a change, once for many. @returns how to end that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** All that answers rest on, as it is now. */
  world(): World {
    const nowMs = this.clock.monotonicMs();
    if (this.#world !== undefined && nowMs - this.#world.atMs < WORLD_LIFE_MS)
      return this.#world.world;
    const { cluster } = this.sources;
    const closed = this.#closed();
    const world: World = {
      version: (this.#version += 1),
      ...(closed !== undefined && { closed }),
      berths: new BerthTable(this.berthNodes(), this.berthOptions, this.clock.nowMs()),
      claims: cluster.claims(),
      scaledJob: (key) => cluster.facts(key),
    };
    this.#world = { world, atMs: nowMs };
    return world;
  }

  /** Every node with what its berth depends on. */
  berthNodes(): BerthNode[] {
    const { cluster, cpu } = this.sources;
    const pods = cluster.podsByNode();
    const word = this.#controllerWord();
    return [...cluster.nodes.values()].map((node) => ({
      node,
      reading: cpu.reading(node.name),
      runningJobs: pods.get(node.name) ?? 0,
      controller: word === undefined ? undefined : (word.nodes.get(node.name) ?? null),
    }));
  }

  /** Whether a node must be available to the node-controller as well. */
  get source(): 'controller' | 'own' {
    return this.#controllerWord() === undefined ? 'own' : 'controller';
  }

  /** What does not work as it should. */
  get degraded(): string[] {
    const { cpu, controller } = this.sources;
    const reasons: string[] = [];
    const closed = this.#closed();
    if (closed !== undefined) reasons.push(`nothing is granted: ${closed}`);
    if (cpu.problem !== undefined)
      reasons.push(
        `CPU: ${cpu.problem}; readings count until they are ${this.settings.readingMaxAgeMs / 1000} s old`,
      );
    if (controller !== undefined && this.source === 'own')
      reasons.push(
        `counting without the node-controller: ${controller.problem ?? 'its last count is too old'}`,
      );
    else if (controller?.problem !== undefined) reasons.push(controller.problem);
    return reasons;
  }

  #controllerWord() {
    const word = this.sources.controller?.last();
    return word !== undefined && word.ageMs <= this.settings.controllerMaxAgeMs ? word : undefined;
  }

  #closed(): string | undefined {
    const { watch } = this.sources;
    if (!watch.synced) return 'nodes, pods, Jobs and ScaledJobs are not all listed yet';
    if (watch.silentMs > this.settings.clusterMaxSilenceMs)
      return `the API server has been silent for ${Math.round(watch.silentMs / 1000)} s`;
    const leftMs = this.settings.startHoldMs - (this.clock.monotonicMs() - this.#startedAtMs);
    return leftMs > 0 ? 'just started, awaiting Jobs that may be under way' : undefined;
  }

  #notify(): void {
    if (this.#notifying || this.#listeners.size === 0) return;
    this.#notifying = true;
    setImmediate(() => {
      this.#notifying = false;
      for (const listener of [...this.#listeners]) listener();
    });
  }
}
