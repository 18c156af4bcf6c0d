import { rejection } from '../../cpu-scheduler/policy/feasible';
import { matchesTerm } from '../../cpu-scheduler/policy/selectors';
import type { FilterContext, NodeView } from '../../cpu-scheduler/types';
import type { PassedOver, PendingPod } from '../types';
import { Overlay } from './overlay';

const NO_CONTEXT: FilterContext = { keepAways: [], leftNodes: new Set() };
/** So many of the pods that no node would take are named. */
const NAMED = 20;

/** Pods that wait, sorted by whether a new node would help. */
export interface Sorted {
  readonly helped: readonly PendingPod[];
  /** Of how many kinds those are that a new node would help: pods of a kind are alike to every node. */
  readonly helpedKinds: number;
  /** How many a new node would not help, and the first of them. */
  readonly passedOverCount: number;
  readonly passedOver: readonly PassedOver[];
}

/** Which pods a new, empty worker would take. Pods that are alike are looked at once. */
export function sortPending(pending: readonly PendingPod[], worker: NodeView | undefined): Sorted {
  const helped: PendingPod[] = [];
  const passedOver: PassedOver[] = [];
  /** By kind: why a new node would not help; empty where it would. */
  const verdicts = new Map<string, string>();
  let passedOverCount = 0;
  let helpedKinds = 0;
  for (const one of pending) {
    const key = keyOf(one);
    let why = verdicts.get(key);
    if (why === undefined) {
      why = whyNot(one, worker) ?? '';
      if (why === '') helpedKinds += 1;
      verdicts.set(key, why);
    }
    if (why === '') helped.push(one);
    else {
      passedOverCount += 1;
      if (passedOver.length < NAMED)
        passedOver.push({ pod: `${one.pod.namespace}/${one.pod.name}`, why });
    }
  }
  return { helped, helpedKinds, passedOverCount, passedOver };
}

/** Why a new worker would not help a pod; undefined when it would. An unknown size of workers takes every pod. */
export function whyNot(one: PendingPod, worker: NodeView | undefined): string | undefined {
  if (one.obstacles.length > 0) return one.obstacles.join('; ');
  for (const claim of one.claims) {
    if (claim.state === 'cannot-bind') return `claim ${claim.name} cannot bind: ${claim.why}`;
    if (worker === undefined || claim.state !== 'bound' || claim.terms === undefined) continue;
    const { name, labels } = worker.info;
    if (!claim.terms.some((term) => matchesTerm(term, name, labels)))
      return `claim ${claim.name} is bound to a volume of other nodes`;
  }
  if (worker === undefined) return undefined;
  const rejected = rejection(one.pod, worker, NO_CONTEXT);
  return rejected && `no new node would take it: ${rejected.reasons.join(', ')} (${rejected.rule})`;
}

/**
 * How many new workers these pods fill, first fit, but never more than `most`. Pods that wait for kinds of rooms which
 * are all full are left for later, and nobody is looked at any more once all kinds are.
 */
export function workersFor(
  { helped, helpedKinds }: Pick<Sorted, 'helped' | 'helpedKinds'>,
  worker: NodeView,
  most: number,
): number {
  const workers: Overlay[] = [];
  const full = new Set<string>();
  for (const one of helped) {
    if (full.size === helpedKinds) break;
    const key = keyOf(one);
    if (full.has(key)) continue;
    let found = workers.find((each) => rejection(one.pod, each, NO_CONTEXT) === undefined);
    if (found === undefined && workers.length < most) {
      found = new Overlay(worker);
      workers.push(found);
      // Kinds of pods that were turned away find room in the new one.
    }
    if (found === undefined) full.add(key);
    else found.add(one.pod);
  }
  return workers.length;
}

/** Equal for pods about which the verdict is the same. */
function keyOf({ pod, claims, obstacles }: PendingPod): string {
  if (claims.length === 0 && obstacles.length === 0) return pod.schedulingClass;
  return JSON.stringify([pod.schedulingClass, claims, obstacles]);
}
