import type { MongoClient } from 'mongodb';
import type { Redis } from 'ioredis';
import { mongoClient } from '../../../runtime/autoscaler/adapters/mongo-connection';
import { MongoHistory } from '../../../runtime/autoscaler/adapters/mongo-history';
import { connectRedis } from '../../../runtime/autoscaler/adapters/redis-connection';
import { KEYS } from '../../../runtime/autoscaler/adapters/redis-keys';
import { RedisLiveState } from '../../../runtime/autoscaler/adapters/redis-state';
import type { AutoscalerSystem } from './autoscaler-system';
import { eventually } from './kube';

const TIMEOUT_MS = 5000;
const fail = (where: string, id: string, error: unknown): never => {
  throw new Error(`${where} ${id} cannot be read`, { cause: error });
};

/** What is known of workers in each place: the same names in all of them mean that nothing is orphaned. */
export interface Places {
  readonly containers: readonly string[];
  readonly nodes: readonly string[];
  readonly passwords: readonly string[];
  readonly redis: readonly string[];
  readonly mongodb: readonly string[];
  /** Workers that the journal names. */
  readonly underWay: readonly string[];
  /** Keys of the autoscaler in Redis that are none of those that it documents. */
  readonly strayKeys: readonly string[];
}

/** Looks into all places where the autoscaler leaves something, and into the stores for tests that change them. */
export class AutoscalerStores {
  readonly redis: Redis;
  readonly live: RedisLiveState;
  readonly mongo: MongoClient;
  readonly history: MongoHistory;

  constructor(private readonly system: AutoscalerSystem) {
    this.redis = connectRedis({ url: system.redis.url, timeoutMs: TIMEOUT_MS }, () => undefined);
    this.live = new RedisLiveState(this.redis, fail);
    this.mongo = mongoClient({ url: system.mongo.url, timeoutMs: TIMEOUT_MS });
    this.history = new MongoHistory(this.mongo.db('autoscaler'), TIMEOUT_MS, fail);
  }

  async close(): Promise<void> {
    this.redis.disconnect();
    await this.mongo.close();
  }

  async places(): Promise<Places> {
    const names = (all: readonly { readonly name: string }[]): string[] =>
      all.map(({ name }) => name).sort();
    const known = new Set<string>(Object.values(KEYS).filter((key) => typeof key === 'string'));
    const [nodes, passwords, redis, mongodb, operations, keys] = await Promise.all([
      ...([this.system.nodeNames(), this.system.passwords(), this.live.workers()] as const),
      ...([this.history.workers(), this.live.operations(), this.redis.keys('*')] as const),
    ]);
    return {
      containers: this.system.docker.names,
      nodes: nodes.filter((name) => name.startsWith('k3s-worker-')),
      ...{ passwords, redis: names(redis), mongodb: names(mongodb) },
      underWay: operations.map(({ worker }) => worker),
      strayKeys: keys.filter((key) => !known.has(key)),
    };
  }

  /** Waits until all places know these workers and no others, and nothing is under way. */
  async becomeWhole(workers: readonly string[]): Promise<void> {
    const all = [...workers].sort();
    const whole: Places = {
      ...{ containers: all, nodes: all, passwords: all, redis: all, mongodb: all },
      ...{ underWay: [], strayKeys: [] },
    };
    let last: Places | undefined;
    try {
      await eventually('all places are the same', async () => {
        last = await this.places();
        return JSON.stringify(last) === JSON.stringify(whole);
      });
    } catch (cause) {
      throw new Error(`wanted ${all.join()}, found ${JSON.stringify(last)}`, { cause });
    }
  }
}
