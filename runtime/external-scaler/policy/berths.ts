import { nodeVerdict } from '../../node-availability/availability';
import { ELIGIBLE_LABEL, type AvailabilityOptions } from '../../node-availability/types';
import type { Berths, BerthNode, BerthRule, BerthVerdict, FreeBerths } from '../types';

/** What the rules are set to, but for the threshold. */
export type BerthOptions = Omit<AvailabilityOptions, 'thresholdRatio'>;

/** Whether the berth of a node is to be had at nowMs, by nodes below thresholdRatio (0..1). */
export function berthVerdict(
  { node, reading, runningJobs, controller }: BerthNode,
  thresholdRatio: number,
  options: BerthOptions,
  nowMs: number,
): BerthVerdict {
  const own = nodeVerdict(node, reading, { ...options, thresholdRatio }, nowMs);
  const available = own.available && (controller === undefined || controller?.available === true);
  const allowed = available && runningJobs === 0;
  const refusal = ((): readonly [BerthRule, string] | undefined => {
    if (own.rule !== undefined) return [own.rule, own.why ?? own.rule];
    if (!available) {
      const why = controller?.why ?? controller?.rule ?? 'has not counted this node yet';
      return ['controller', `the node-controller says no: ${why}`];
    }
    return allowed ? undefined : ['held', `${runningJobs} analyzer(s) on it`];
  })();
  return {
    node: node.name,
    eligible: node.labels[ELIGIBLE_LABEL] === 'true',
    available,
    allowed,
    ...(refusal !== undefined && { rule: refusal[0], why: refusal[1] }),
    slot: own.slot,
    cpuRatio: own.cpuRatio,
    ageMs: own.cpuAgeMs,
    runningJobs,
  };
}

/** Counts the free berths of a set of nodes as they are at one moment, once for each threshold that is asked for. */
export class BerthTable implements Berths {
  readonly most: number;
  readonly #free = new Map<number, FreeBerths>();
  readonly #candidates: readonly BerthNode[];

  constructor(
    nodes: readonly BerthNode[],
    private readonly options: BerthOptions,
    private readonly nowMs: number,
  ) {
    this.#candidates = nodes.filter((node) => this.#isFree(node, Infinity));
    this.most = this.#candidates.length;
  }

  free(thresholdRatio: number): FreeBerths {
    let found = this.#free.get(thresholdRatio);
    if (found === undefined) {
      found = this.#count(thresholdRatio);
      this.#free.set(thresholdRatio, found);
    }
    return found;
  }

  #count(thresholdRatio: number): FreeBerths {
    let count = 0;
    const bySlot = new Map<number, number>();
    for (const node of this.#candidates) {
      const { allowed, slot } = berthVerdict(node, thresholdRatio, this.options, this.nowMs);
      if (!allowed) continue;
      count += 1;
      if (slot !== null) bySlot.set(slot, (bySlot.get(slot) ?? 0) + 1);
    }
    return { count, bySlot };
  }

  #isFree(node: BerthNode, thresholdRatio: number): boolean {
    return berthVerdict(node, thresholdRatio, this.options, this.nowMs).allowed;
  }
}
