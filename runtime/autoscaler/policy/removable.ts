import { rejection } from '../../cpu-scheduler/policy/feasible';
import { concerns } from '../../cpu-scheduler/policy/filters/existing-anti-affinity';
import { matchesLabelSelector } from '../../cpu-scheduler/policy/selectors';
import type { FilterContext, KeepAway, PodInfo } from '../../cpu-scheduler/types';
import type { KeepingAway, Snapshot, WorkerView } from '../types';
import { hasRoom, Overlay } from './overlay';
import { staysWithNode } from './template';

/** The settings that a removal rests on. */
export interface RemovalSettings {
  readonly evictBarePods: boolean;
  readonly evictionCooldownMs: number;
}

/**
 * Proves, node by node, that the pods of nodes that go find room on those that stay. What was found room for before is
 * taken into account; so is that a PodDisruptionBudget covers all of them together.
 */
export class Removals {
  readonly nodes: string[] = [];
  readonly #leaving: Set<string>;
  readonly #recentOwners: ReadonlySet<string>;
  #overlays = new Map<string, Overlay>();
  #keepAways: readonly KeepAway[] = [];
  readonly #taken = new Map<KeepingAway, Taken>();
  /** Pods taken so far, by index of the budget that covers them. */
  #disrupted = new Map<number, number>();

  constructor(
    private readonly snapshot: Snapshot,
    private readonly settings: RemovalSettings,
    nowMs: number,
  ) {
    this.#leaving = new Set(snapshot.removing);
    this.#recentOwners = new Set(
      (snapshot.evictions ?? [])
        .filter(({ atMs }) => nowMs - atMs < settings.evictionCooldownMs)
        .map(({ ownerUid }) => ownerUid),
    );
  }

  /** Takes a node as going if its pods fit elsewhere. @returns why it has to stay; undefined when it goes. */
  add(node: WorkerView): string | undefined {
    if (this.#overlays.has(node.info.name)) return 'it takes the pods of another node that goes';
    const pods = [...node.pods].filter((pod) => !staysWithNode(pod));
    const disrupted = new Map(this.#disrupted);
    for (const pod of pods) {
      const why = this.#obstacle(pod) ?? this.#protection(pod, disrupted);
      if (why !== undefined) return why;
    }
    this.#leaving.add(node.info.name);
    const trial: Trial = { overlays: new Map(), keepAways: [] };
    // The largest first: small ones find the gaps.
    pods.sort(
      (a, b) =>
        b.requests.cpuMillis - a.requests.cpuMillis ||
        b.requests.memoryBytes - a.requests.memoryBytes,
    );
    for (const pod of pods) {
      if (this.#place(pod, trial)) continue;
      this.#leaving.delete(node.info.name);
      return `pod ${nameOf(pod)} fits on no other node`;
    }
    this.#overlays = new Map([...this.#overlays, ...trial.overlays]);
    this.#keepAways = [...this.#keepAways, ...trial.keepAways];
    this.#disrupted = disrupted;
    this.nodes.push(node.info.name);
    return undefined;
  }

  #obstacle(pod: PodInfo): string | undefined {
    if (pod.owner === undefined && !this.settings.evictBarePods)
      return `pod ${nameOf(pod)} has no controller, and EVICT_BARE_PODS is false`;
    if (pod.unhandled.length > 0) return `pod ${nameOf(pod)} has ${pod.unhandled.join(', ')}`;
    if (this.snapshot.evictions === undefined)
      return 'the record of evictions cannot be read: others may have evicted pods lately';
    if (pod.owner !== undefined && this.#recentOwners.has(pod.owner.uid))
      return `${pod.owner.kind} ${pod.namespace}/${pod.owner.name} lost a pod to an eviction lately`;
    return undefined;
  }

  #protection(pod: PodInfo, disrupted: Map<number, number>): string | undefined {
    for (const [index, budget] of this.snapshot.budgets.entries()) {
      if (budget.namespace !== pod.namespace) continue;
      if (!matchesLabelSelector(budget.selector, pod.labels)) continue;
      // Several pods of one node leave one after the other; those of several nodes would leave at once.
      const before = this.#disrupted.get(index) ?? 0;
      if (budget.disruptionsAllowed - before < 1)
        return `PodDisruptionBudget ${budget.namespace}/${budget.name} protects pod ${nameOf(pod)}`;
      disrupted.set(index, (disrupted.get(index) ?? 0) + 1);
    }
    return undefined;
  }

  #place(pod: PodInfo, trial: Trial): boolean {
    const unbound: PodInfo = { ...pod, nodeName: undefined };
    const taken = this.#takenFor(pod);
    // Those that were placed in this decision are few.
    const keepAways = [...this.#keepAways, ...trial.keepAways];
    const context: FilterContext = { keepAways, leftNodes: this.#leaving };
    for (const node of this.snapshot.nodes.values()) {
      const { name, labels } = node.info;
      const view = trial.overlays.get(name) ?? this.#overlays.get(name) ?? node;
      if (!hasRoom(view, pod)) continue;
      if (isTaken(labels, taken)) continue;
      if (rejection(unbound, view, context) !== undefined) continue;
      let overlay = trial.overlays.get(name);
      if (overlay === undefined) trial.overlays.set(name, (overlay = new Overlay(view)));
      overlay.add(unbound);
      trial.keepAways.push(...keepAwaysOf(pod, labels));
      return true;
    }
    return false;
  }

  /** Where the pods that run keep this one away from. What each group of them takes is looked up once. */
  #takenFor(pod: PodInfo): readonly Taken[] {
    const found: Taken[] = [];
    for (const group of this.snapshot.keepingAway) {
      if (!concerns(group, pod)) continue;
      let taken = this.#taken.get(group);
      if (taken === undefined) {
        const { topologyKey } = group.term;
        const values = new Set<string | undefined>();
        for (const name of group.nodes.values())
          values.add(this.snapshot.nodes.get(name)?.info.labels[topologyKey]);
        this.#taken.set(group, (taken = { topologyKey, values }));
      }
      found.push(taken);
    }
    return found;
  }
}

/** Values of a label whose nodes a pod must not go to. */
interface Taken {
  readonly topologyKey: string;
  readonly values: ReadonlySet<string | undefined>;
}

interface Trial {
  readonly overlays: Map<string, Overlay>;
  readonly keepAways: KeepAway[];
}

const nameOf = ({ namespace, name }: PodInfo): string => `${namespace}/${name}`;

const keepAwaysOf = (pod: PodInfo, labels: Readonly<Record<string, string>>): KeepAway[] =>
  pod.antiAffinity.flatMap((term) => {
    const topologyValue = labels[term.topologyKey];
    return topologyValue === undefined ? [] : [{ namespace: pod.namespace, term, topologyValue }];
  });

/** A node without the label is in no topology, and so taken by nobody. */
const isTaken = (labels: Readonly<Record<string, string>>, taken: readonly Taken[]): boolean =>
  taken.some(({ topologyKey, values }) => {
    const value = labels[topologyKey];
    return value !== undefined && values.has(value);
  });
