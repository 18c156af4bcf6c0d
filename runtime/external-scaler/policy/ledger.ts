import type { Decision, DecisionRule, Demand, ScaledJobFacts, World } from '../types';
import { Allotment } from './allotment';

/** How long things are remembered. */
export interface LedgerSettings {
  readonly grantTtlMs: number;
  readonly identityTtlMs: number;
  readonly retryLimit: number;
}

/** What became of a grant. */
export type GrantEvent = 'given' | 'used' | 'expired';

/** A ScaledJob that asked. Times are of a clock that does not jump. */
export interface Identity {
  readonly key: string;
  demand: Demand;
  lastAskedMs: number;
  /** When it began to wait for a berth; null when it does not wait. */
  waitingSinceMs: number | null;
}

/** A berth that was promised to a ScaledJob, whose Job is not seen yet. */
export interface Grant {
  readonly key: string;
  readonly slot: number | null;
  readonly givenAtMs: number;
  /** Its facts.jobsSeen then: one more means that the Job is there. */
  readonly jobsSeen: number;
}

const answer = (rule: DecisionRule): Decision => ({ value: rule === 'granted' ? 1 : 0, rule });

/**
 * Who waits, who was promised a berth, and what each ScaledJob is told. It has no clock: nowMs must not go back.
 * Each ScaledJob holds at most one grant, and gets none while a Job of its has not ended.
 */
export class Ledger {
  readonly #identities = new Map<string, Identity>();
  /** In order of waiting. */
  readonly #queue = new Map<string, Identity>();
  readonly #grants = new Map<string, Grant>();
  #allotment: Allotment | undefined;
  #worldVersion: number | undefined;

  constructor(
    private readonly settings: LedgerSettings,
    private readonly onGrant: (event: GrantEvent) => void = () => undefined,
  ) {}

  get identities(): ReadonlyMap<string, Readonly<Identity>> {
    return this.#identities;
  }
  get queue(): ReadonlyMap<string, Readonly<Identity>> {
    return this.#queue;
  }
  get grants(): ReadonlyMap<string, Grant> {
    return this.#grants;
  }

  /** Answers a ScaledJob, and promises it a berth if it is its turn. */
  request(key: string, demand: Demand, nowMs: number, world: World): Decision {
    this.#settle(nowMs, world);
    const facts = world.scaledJob(key);
    // Not remembered: names that nobody made must not fill the memory.
    if (facts === undefined) return answer('unknown');
    const identity = this.#identity(key, demand, nowMs);
    const settled = this.#settledRule(facts, demand) ?? this.#grantRule(key, nowMs);
    if (settled !== undefined) {
      this.#leaveQueue(identity);
      return answer(settled);
    }
    if (identity.waitingSinceMs === null) {
      identity.waitingSinceMs = nowMs;
      this.#queue.set(key, identity);
      if (world.closed === undefined) this.#allotment?.add(identity);
    }
    if (world.closed !== undefined) return answer('closed');
    const allotment = this.#allot(world);
    if (!allotment.isEntitled(key)) return answer(this.#waitingRule(demand, world));
    // Its claim in the allotment, until now that of one who is entitled, becomes that of a grant.
    this.#grants.set(key, {
      key,
      slot: demand.slot,
      givenAtMs: nowMs,
      jobsSeen: facts.jobsSeen,
    });
    this.#leaveQueue(identity, false);
    this.onGrant('given');
    return answer('granted');
  }

  /** What request would answer, without asking: nothing is promised, and no place in the queue is taken. */
  peek(key: string, demand: Demand, nowMs: number, world: World): Decision {
    this.#settle(nowMs, world);
    const facts = world.scaledJob(key);
    if (facts === undefined) return answer('unknown');
    const settled = this.#settledRule(facts, demand) ?? this.#grantRule(key, nowMs);
    if (settled !== undefined) return answer(settled);
    if (world.closed !== undefined) return answer('closed');
    const allotment = this.#allot(world);
    const turn = this.#queue.has(key)
      ? allotment.isEntitled(key)
      : allotment.turnOf({ key, demand }) === 'yes';
    return answer(turn ? 'granted' : this.#waitingRule(demand, world));
  }

  /** Forgets who has not asked for long, or is gone. A grant keeps its berth all the same. */
  sweep(nowMs: number, world: World): void {
    this.#settle(nowMs, world);
    for (const identity of this.#identities.values()) {
      const silentMs = nowMs - identity.lastAskedMs;
      if (silentMs <= this.settings.identityTtlMs && world.scaledJob(identity.key) !== undefined)
        continue;
      this.#leaveQueue(identity);
      this.#identities.delete(identity.key);
    }
  }

  /** Free berths of the nodes below a threshold that nobody was promised. */
  remaining(thresholdRatio: number, nowMs: number, world: World): number {
    this.#settle(nowMs, world);
    return this.#remaining(thresholdRatio, world);
  }

  #remaining(thresholdRatio: number, world: World): number {
    let claimed = this.#grants.size;
    for (const count of world.claims.values()) claimed += count;
    return Math.max(0, world.berths.free(thresholdRatio).count - claimed);
  }

  /** Ends grants whose Job is there or whose time is over. */
  #settle(nowMs: number, world: World): void {
    const isNew = world.version !== this.#worldVersion;
    this.#worldVersion = world.version;
    if (isNew) this.#allotment = undefined;
    for (const grant of this.#grants.values()) {
      const used = isNew && (world.scaledJob(grant.key)?.jobsSeen ?? 0) > grant.jobsSeen;
      if (!used && nowMs - grant.givenAtMs < this.settings.grantTtlMs) continue;
      this.#grants.delete(grant.key);
      this.#allotment = undefined;
      this.onGrant(used ? 'used' : 'expired');
    }
  }

  #identity(key: string, demand: Demand, nowMs: number): Identity {
    const known = this.#identities.get(key);
    if (known === undefined) {
      const identity = { key, demand, lastAskedMs: nowMs, waitingSinceMs: null };
      this.#identities.set(key, identity);
      return identity;
    }
    known.lastAskedMs = nowMs;
    if (
      known.demand.slot !== demand.slot ||
      known.demand.thresholdRatio !== demand.thresholdRatio
    ) {
      this.#allotment = undefined;
    }
    known.demand = demand;
    return known;
  }

  /** Why a ScaledJob wants no berth. */
  #settledRule(facts: ScaledJobFacts, { mode }: Demand): DecisionRule | undefined {
    if (facts.unfinishedJobs > 0) return 'running';
    if (mode === 'continuous') return undefined;
    if (facts.completed > 0) return 'done';
    return facts.failed >= this.settings.retryLimit ? 'failed' : undefined;
  }

  /**
   * A grant is answered with 1 in the first half of its time only. Between that answer and the Job some time goes by,
   * for which the second half keeps the berth.
   */
  #grantRule(key: string, nowMs: number): DecisionRule | undefined {
    const grant = this.#grants.get(key);
    if (grant === undefined) return undefined;
    const ageMs = nowMs - grant.givenAtMs;
    return ageMs * 2 < this.settings.grantTtlMs ? 'granted' : 'grant-closing';
  }

  #waitingRule({ thresholdRatio, slot }: Demand, world: World): DecisionRule {
    const free = world.berths.free(thresholdRatio);
    if (slot !== null && (free.bySlot.get(slot) ?? 0) === 0) return 'slot-not-free';
    return this.#remaining(thresholdRatio, world) === 0 ? 'no-free-berth' : 'waits-its-turn';
  }

  #allot(world: World): Allotment {
    this.#allotment ??= new Allotment(
      world,
      [...this.#grants.values()].map(({ slot }) => slot),
      (key) => this.#identities.get(key)?.demand.slot ?? null,
      this.#queue.values(),
    );
    return this.#allotment;
  }

  #leaveQueue(identity: Identity, changesOthers = true): void {
    if (identity.waitingSinceMs === null) return;
    identity.waitingSinceMs = null;
    this.#queue.delete(identity.key);
    if (changesOthers) this.#allotment = undefined;
  }
}
