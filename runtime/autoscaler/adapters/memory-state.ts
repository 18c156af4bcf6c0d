import type { History, HistoryQuery, KeyedAnswer, LiveState } from '../ports';
import type { Operation, ScalingEvent, WorkerRecord } from '../types';

const RECENT = 1000;

/** Live state in memory; for tests. */
export class MemoryLiveState implements LiveState {
  permanent: readonly string[] = [];
  #counter = 0;
  readonly #workers = new Map<string, WorkerRecord>();
  readonly #operations = new Map<string, Operation>();
  readonly #scaled = { up: 0, down: 0 };
  readonly #events = new Map<string, ScalingEvent>();
  readonly #unsent = new Map<string, ScalingEvent>();
  readonly #keys = new Map<string, KeyedAnswer>();

  async nextNumber(): Promise<number> {
    this.#counter += 1;
    return this.#counter;
  }
  async counter(): Promise<number> {
    return this.#counter;
  }
  async raiseCounter(atLeast: number): Promise<void> {
    this.#counter = Math.max(this.#counter, atLeast);
  }

  async workers(): Promise<readonly WorkerRecord[]> {
    return [...this.#workers.values()].sort((a, b) => a.number - b.number);
  }
  async putWorker(worker: WorkerRecord): Promise<void> {
    this.#workers.set(worker.name, worker);
  }
  async removeWorker(name: string): Promise<void> {
    this.#workers.delete(name);
  }
  async notePermanent(names: readonly string[]): Promise<void> {
    this.permanent = names;
  }

  async operations(): Promise<readonly Operation[]> {
    return [...this.#operations.values()].sort(
      (a, b) => a.startedAtMs - b.startedAtMs || (a.id < b.id ? -1 : 1),
    );
  }
  async saveOperation(operation: Operation): Promise<void> {
    this.#operations.set(operation.id, operation);
  }
  async endOperation(id: string): Promise<void> {
    this.#operations.delete(id);
  }

  async scaledAtMs(direction: 'up' | 'down'): Promise<number> {
    return this.#scaled[direction];
  }
  async noteScaled(direction: 'up' | 'down', atMs: number): Promise<void> {
    this.#scaled[direction] = Math.max(this.#scaled[direction], atMs);
  }

  async addEvent(event: ScalingEvent): Promise<void> {
    if (this.#events.has(event.id)) return;
    this.#events.set(event.id, event);
    this.#unsent.set(event.id, event);
    const [oldest] = this.#events.keys();
    if (this.#events.size > RECENT && oldest !== undefined) this.#events.delete(oldest);
  }
  async recentEvents(limit: number): Promise<readonly ScalingEvent[]> {
    return [...this.#events.values()].reverse().slice(0, limit);
  }
  async unsentEvents(limit: number): Promise<readonly ScalingEvent[]> {
    return [...this.#unsent.values()].slice(0, limit);
  }
  async eventsSent(ids: readonly string[]): Promise<void> {
    for (const id of ids) this.#unsent.delete(id);
  }

  async takeKey(key: string, fingerprint: string): Promise<KeyedAnswer | undefined> {
    const found = this.#keys.get(key);
    if (found === undefined) this.#keys.set(key, { fingerprint });
    return found;
  }
  async answerKey(key: string, answer: KeyedAnswer): Promise<void> {
    this.#keys.set(key, answer);
  }
  async releaseKey(key: string): Promise<void> {
    this.#keys.delete(key);
  }
}

/** History in memory; for tests. */
export class MemoryHistory implements History {
  readonly stored = new Map<string, ScalingEvent>();
  readonly records = new Map<string, WorkerRecord & { removedAtMs?: number }>();
  /** Set to make every call fail, as when the database is away. */
  away: Error | undefined;

  async addEvents(events: readonly ScalingEvent[]): Promise<void> {
    this.#check();
    for (const event of events) this.stored.set(event.id, this.stored.get(event.id) ?? event);
  }
  async events({ limit, sinceMs = 0 }: HistoryQuery): Promise<readonly ScalingEvent[]> {
    this.#check();
    return [...this.stored.values()]
      .filter(({ atMs }) => atMs >= sinceMs)
      .sort((a, b) => b.atMs - a.atMs)
      .slice(0, limit);
  }
  async workers(): Promise<readonly WorkerRecord[]> {
    this.#check();
    return [...this.records.values()].filter(({ removedAtMs }) => removedAtMs === undefined);
  }
  async putWorker(worker: WorkerRecord): Promise<void> {
    this.#check();
    this.records.set(worker.name, worker);
  }
  async removeWorker(name: string, atMs: number): Promise<void> {
    this.#check();
    const found = this.records.get(name);
    if (found !== undefined) this.records.set(name, { ...found, removedAtMs: atMs });
  }

  #check(): void {
    if (this.away !== undefined) throw this.away;
  }
}
