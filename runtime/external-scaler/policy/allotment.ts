import type { Demand, World } from '../types';

/** A ScaledJob that waits for a berth. */
export interface Waiter {
  readonly key: string;
  readonly demand: Demand;
}

/** Whether a waiter gets a berth when its turn comes; `hold`: nor does anybody behind it. */
export type Turn = 'yes' | 'no' | 'hold';

/**
 * Shares the free berths among those who wait, first come first served.
 *
 * In order, each waiter for whom a berth remains is entitled to one: free berths of its kind, less what is claimed
 * (grants, pods not bound, Jobs without a pod) and less what those before it are entitled to. One that no free berth
 * suits is passed over. One that is kept from a berth only by grants holds back all behind it: grants end soon, and
 * it would never have its turn if they were given on and on to others who accept more nodes.
 */
export class Allotment {
  readonly #entitled = new Set<string>();
  readonly #slots = new Map<number, number>();
  /** Claims of Jobs and pods, which may stay for long. */
  readonly #lasting: number;
  #claimed: number;
  #held = false;

  /**
   * @param grantSlots slots of the grants that are out, null for one that any node serves.
   * @param slotOf slot that the Jobs of a ScaledJob are for.
   */
  constructor(
    private readonly world: World,
    grantSlots: Iterable<number | null>,
    slotOf: (key: string) => number | null,
    waiters: Iterable<Waiter>,
  ) {
    let lasting = 0;
    for (const [key, count] of world.claims) {
      lasting += count;
      this.#claimSlot(slotOf(key), count);
    }
    this.#lasting = this.#claimed = lasting;
    for (const slot of grantSlots) this.#claim(slot);
    for (const waiter of waiters) if (!this.add(waiter)) break;
  }

  /** Berths that are taken by what has no node, and by those entitled to one. */
  get claimed(): number {
    return this.#claimed;
  }

  isEntitled(key: string): boolean {
    return this.#entitled.has(key);
  }

  /** The turn of a waiter behind all others. */
  turnOf({ key, demand }: Waiter): Turn {
    const { world } = this;
    if (this.#held || this.#claimed >= world.berths.most) return 'hold';
    const facts = world.scaledJob(key);
    if (facts === undefined || facts.paused) return 'no';
    const free = world.berths.free(demand.thresholdRatio);
    if (demand.slot !== null) {
      const ofSlot = free.bySlot.get(demand.slot) ?? 0;
      if (ofSlot <= (this.#slots.get(demand.slot) ?? 0)) return 'no';
    }
    if (this.#claimed < free.count) return 'yes';
    return this.#lasting < free.count ? 'hold' : 'no';
  }

  /** Puts a waiter behind all others. @returns whether others behind it may still be entitled. */
  add(waiter: Waiter): boolean {
    const turn = this.turnOf(waiter);
    if (turn === 'yes') {
      this.#entitled.add(waiter.key);
      this.#claim(waiter.demand.slot);
    }
    if (turn === 'hold') this.#held = true;
    return turn !== 'hold';
  }

  #claim(slot: number | null): void {
    this.#claimed += 1;
    this.#claimSlot(slot, 1);
  }

  #claimSlot(slot: number | null, count: number): void {
    if (slot !== null) this.#slots.set(slot, (this.#slots.get(slot) ?? 0) + count);
  }
}
