import type { Redis } from 'ioredis';
import { z } from 'zod';
import type { KeyedAnswer, LiveState } from '../ports';
import type { Operation, ScalingEvent, WorkerRecord } from '../types';
import { eventSchema, operationSchema, workerSchema } from './records';
import { KEYS } from './redis-keys';
import { ADD_EVENT, EVENTS_SENT, NOTE_SCALED, RAISE } from './redis-scripts';

const RECENT = 1000;
const DAY_SECONDS = 24 * 60 * 60;
const answerSchema = z.object({ fingerprint: z.string(), answer: z.unknown().optional() });

/** Called with a record that cannot be read, which is then passed over. */
export type OnBadRecord = (key: string, field: string, error: unknown) => void;

/**
 * Live state in Redis. Every method rejects while Redis is away, after the connection's time limit; none of them leaves
 * a half of a change behind.
 */
export class RedisLiveState implements LiveState {
  constructor(
    private readonly redis: Redis,
    private readonly onBad: OnBadRecord,
  ) {}

  nextNumber(): Promise<number> {
    return this.redis.incr(KEYS.counter);
  }
  async counter(): Promise<number> {
    return Number((await this.redis.get(KEYS.counter)) ?? 0);
  }
  async raiseCounter(atLeast: number): Promise<void> {
    await this.redis.eval(RAISE, 1, KEYS.counter, atLeast);
  }

  async workers(): Promise<readonly WorkerRecord[]> {
    const all = await this.#hash(KEYS.workers, workerSchema);
    return all.sort((a, b) => a.number - b.number);
  }
  async putWorker(worker: WorkerRecord): Promise<void> {
    await this.redis.hset(KEYS.workers, worker.name, JSON.stringify(worker));
  }
  async removeWorker(name: string): Promise<void> {
    await this.redis.hdel(KEYS.workers, name);
  }
  async notePermanent(names: readonly string[]): Promise<void> {
    await this.redis.set(KEYS.permanent, JSON.stringify(names));
  }

  /** @throws when the journal holds what cannot be read: nothing may be done on a guess of it. */
  async operations(): Promise<readonly Operation[]> {
    const all = Object.values(await this.redis.hgetall(KEYS.operations));
    return all
      .map((text) => operationSchema.parse(JSON.parse(text)))
      .sort((a, b) => a.startedAtMs - b.startedAtMs || (a.id < b.id ? -1 : 1));
  }
  async saveOperation(operation: Operation): Promise<void> {
    await this.redis.hset(KEYS.operations, operation.id, JSON.stringify(operation));
  }
  async endOperation(id: string): Promise<void> {
    await this.redis.hdel(KEYS.operations, id);
  }

  async scaledAtMs(direction: 'up' | 'down'): Promise<number> {
    return Number((await this.redis.hget(KEYS.scaled, direction)) ?? 0);
  }
  async noteScaled(direction: 'up' | 'down', atMs: number): Promise<void> {
    await this.redis.eval(NOTE_SCALED, 1, KEYS.scaled, direction, atMs);
  }

  async addEvent(event: ScalingEvent): Promise<void> {
    const keys = [KEYS.events, KEYS.recent, KEYS.unsent];
    await this.redis.eval(ADD_EVENT, 3, ...keys, event.id, JSON.stringify(event), RECENT);
  }
  recentEvents(limit: number): Promise<readonly ScalingEvent[]> {
    return this.#events(KEYS.recent, limit);
  }
  unsentEvents(limit: number): Promise<readonly ScalingEvent[]> {
    return this.#events(KEYS.unsent, limit);
  }
  async eventsSent(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    await this.redis.eval(EVENTS_SENT, 3, KEYS.events, KEYS.recent, KEYS.unsent, ...ids);
  }

  async takeKey(key: string, fingerprint: string): Promise<KeyedAnswer | undefined> {
    const name = KEYS.request(key);
    const before = await this.redis.set(
      ...([name, JSON.stringify({ fingerprint }), 'EX', DAY_SECONDS, 'NX', 'GET'] as const),
    );
    return before === null ? undefined : answerSchema.parse(JSON.parse(before));
  }
  async answerKey(key: string, answer: KeyedAnswer): Promise<void> {
    await this.redis.set(KEYS.request(key), JSON.stringify(answer), 'EX', DAY_SECONDS);
  }
  async releaseKey(key: string): Promise<void> {
    await this.redis.del(KEYS.request(key));
  }

  async #events(list: string, limit: number): Promise<readonly ScalingEvent[]> {
    if (limit <= 0) return [];
    const ids = await this.redis.lrange(list, 0, limit - 1);
    if (ids.length === 0) return [];
    const texts = await this.redis.hmget(KEYS.events, ...ids);
    return texts.flatMap((text, index) =>
      text === null ? [] : this.#read(KEYS.events, ids[index] ?? '', text, eventSchema),
    );
  }

  async #hash<T>(key: string, schema: z.ZodType<T>): Promise<T[]> {
    const all = Object.entries(await this.redis.hgetall(key));
    return all.flatMap(([field, text]) => this.#read(key, field, text, schema));
  }

  #read<T>(key: string, field: string, text: string, schema: z.ZodType<T>): T[] {
    try {
      return [schema.parse(JSON.parse(text))];
    } catch (error) {
      this.onBad(key, field, error);
      return [];
    }
  }
}
