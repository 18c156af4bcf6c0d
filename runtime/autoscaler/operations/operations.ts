import { randomUUID } from 'node:crypto';
import pLimit, { type LimitFunction } from 'p-limit';
import { workerName, workerNumber } from '../policy/worker-name';
import type { Operation } from '../types';
import { Interrupted, type Context, type Outcome } from './context';
import { runDown } from './down';
import { whyTooFew } from './minimum';
import { runUp } from './up';

/** An operation that has come to an end, for now or for good. */
export type Result = { readonly operation: Operation } & (
  Outcome | { readonly outcome: 'interrupted'; readonly why: string }
);

/** A worker that is not removed, and why. */
export interface Refused {
  readonly worker: string;
  readonly why: string;
}

/** Operations that are in the journal now, and how they end. */
export interface Started {
  readonly begun: readonly Operation[];
  readonly refused: readonly Refused[];
  /** Never rejects because of one of them. */
  readonly ended: Promise<Result[]>;
}

/**
 * Adds and removes workers, several at once but never more than OPERATION_CONCURRENCY. Each operation is in the journal
 * before anything is done; one whose worker has an operation already is refused. One instance acts at a time.
 */
export class Operations {
  readonly #limit: LimitFunction;
  /** Beginning is one at a time, so that two cannot both take the last that may go. */
  readonly #begin = pLimit(1);
  readonly #running = new Set<string>();
  readonly #ended = new Set<string>();
  readonly #open = new Map<string, Operation>();

  constructor(private readonly context: Context) {
    this.#limit = pLimit(context.limits.operationConcurrency);
  }

  /** Operations that have begun and not ended, as they were when they began; those that were interrupted, too. */
  get open(): readonly Operation[] {
    return [...this.#open.values()];
  }

  /** Whether some are about to begin, and are not among the open ones yet. */
  get beginning(): boolean {
    return this.#begin.activeCount + this.#begin.pendingCount > 0;
  }

  /** Adds so many workers, but not more than max_nodes allows. Never rejects because of one of them. */
  async scaleUp(count: number, reason: string): Promise<Result[]> {
    return (await this.startUp(count, reason)).ended;
  }

  /** As scaleUp, but does not wait for their end. */
  async startUp(count: number, reason: string): Promise<Started> {
    const begun = await this.#begin(() => this.#beginUp(count, reason));
    return { begun, refused: [], ended: this.#runAll(begun) };
  }

  /** Removes workers; those that must not go are refused, with the reason. */
  async scaleDown(
    workers: readonly string[],
    reason: string,
  ): Promise<{ results: Result[]; refused: readonly Refused[] }> {
    const { refused, ended } = await this.startDown(workers, reason);
    return { results: await ended, refused };
  }

  /** As scaleDown, but does not wait for their end. */
  async startDown(workers: readonly string[], reason: string): Promise<Started> {
    const refused: Refused[] = [];
    const begun: Operation[] = [];
    for (const worker of workers) {
      const one = await this.#begin(() => this.#beginDown(worker, reason));
      if ('why' in one) refused.push(one);
      else begun.push(one);
    }
    return { begun, refused, ended: this.#runAll(begun) };
  }

  /** Reads the journal. @returns operations that are not running; they are open from now on. */
  async load(): Promise<Operation[]> {
    const operations = await this.context.live.operations();
    // The journal may have been read just before one of them ended.
    const left = operations.filter(({ id }) => !this.#running.has(id) && !this.#ended.has(id));
    for (const operation of left) this.#open.set(operation.id, operation);
    return left;
  }

  /** Takes up every operation of the journal that is not running: after a start, and now and then. */
  async resume(): Promise<Result[]> {
    const left = await this.load();
    return this.#runAll(left);
  }

  async #beginUp(count: number, reason: string): Promise<Operation[]> {
    const { containers, cluster, live, limits, clock } = this.context;
    const [made, nodes, operations] = await Promise.all([
      containers.list(),
      cluster.nodes(),
      live.operations(),
    ]);
    const taken = new Set([...made, ...nodes].map(({ name }) => name));
    const workers = new Set(nodes.filter((one) => !one.controlPlane).map(({ name }) => name));
    for (const { name } of made) workers.add(name);
    for (const one of operations) workers.add(one.worker);
    const room = Math.min(count, limits.maxNodes - workers.size);
    const begun: Operation[] = [];
    while (begun.length < room) {
      const number = await live.nextNumber();
      const worker = workerName(number);
      if (taken.has(worker)) continue;
      const operation: Operation = {
        ...{ id: randomUUID(), kind: 'up', step: 'create', worker, number, reason },
        startedAtMs: clock.nowMs(),
      };
      await live.saveOperation(operation);
      this.#note(operation);
      begun.push(operation);
    }
    return begun;
  }

  async #beginDown(worker: string, reason: string): Promise<Operation | Refused> {
    const { cluster, live, limits, clock } = this.context;
    const number = workerNumber(worker);
    if (number === null) return { worker, why: 'it is not named k3s-worker-N' };
    if (limits.permanentWorkers.has(worker)) return { worker, why: 'it is permanent' };
    const busy = (await live.operations()).find((one) => one.worker === worker);
    if (busy !== undefined) return { worker, why: `an operation (${busy.kind}) is under way` };
    const node = await cluster.node(worker);
    if (node === undefined) return { worker, why: 'there is no such node' };
    const why = await whyTooFew({ worker }, this.context);
    if (why !== undefined) return { worker, why };
    const nowMs = clock.nowMs();
    const operation: Operation = {
      ...{ id: randomUUID(), kind: 'down', step: 'cordon', worker, number, reason },
      ...{ startedAtMs: nowMs, stepAtMs: nowMs, wasCordoned: node.cordoned },
    };
    await live.saveOperation(operation);
    this.#note(operation);
    return operation;
  }

  #note(operation: Operation): void {
    this.#running.add(operation.id);
    this.#open.set(operation.id, operation);
  }

  #runAll(operations: readonly Operation[]): Promise<Result[]> {
    return Promise.all(operations.map((operation) => this.#run(operation)));
  }

  #run(operation: Operation): Promise<Result> {
    this.#note(operation);
    return this.#limit(async (): Promise<Result> => {
      try {
        const outcome =
          operation.kind === 'up'
            ? await runUp(operation, this.context)
            : await runDown(operation, this.context);
        this.#open.delete(operation.id);
        this.#ended.add(operation.id);
        return { operation, ...outcome };
      } catch (error) {
        if (!(error instanceof Interrupted)) throw error;
        this.context.problem(error.message, error.cause);
        return { operation, outcome: 'interrupted', why: error.message };
      } finally {
        this.#running.delete(operation.id);
      }
    });
  }
}
