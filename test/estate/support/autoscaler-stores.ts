import { Redis } from 'ioredis';
import { MongoClient } from 'mongodb';
import { KEYS } from '../../../runtime/autoscaler/adapters/redis-keys';
import { autoscalerSettings } from '../../../runtime/autoscaler/settings';
import { SYSTEM, type EstateCluster } from './cluster';
import { waitUntil } from './wait-until';

/** What Redis holds of workers and operations. */
export interface LiveKeys {
  readonly workers: readonly string[];
  readonly operations: readonly string[];
  readonly unsent: number;
}

/** What MongoDB holds. */
export interface StoredHistory {
  /** Names of workers that are not marked as removed. */
  readonly workers: readonly string[];
  /** The most recent first, as the API orders them. */
  readonly events: readonly { readonly id: string; readonly kind: string }[];
}

/** Reads Redis itself, not through the autoscaler. */
export const readRedis = (cluster: EstateCluster): Promise<LiveKeys> =>
  inStore(cluster, 'redis', autoscalerSettings.redisUrl.env, async (url) => {
    const redis = new Redis(url, { maxRetriesPerRequest: 1 });
    redis.on('error', () => undefined);
    try {
      const [workers, operations, unsent] = await Promise.all([
        redis.hkeys(KEYS.workers),
        redis.hkeys(KEYS.operations),
        redis.llen(KEYS.unsent),
      ]);
      return { workers: workers.sort(), operations, unsent };
    } finally {
      redis.disconnect();
    }
  });

/** Reads MongoDB itself, not through the autoscaler. */
export const readMongo = (cluster: EstateCluster): Promise<StoredHistory> =>
  inStore(cluster, 'mongodb', autoscalerSettings.mongoUrl.env, async (url) => {
    const client = new MongoClient(url, {
      directConnection: true,
      serverSelectionTimeoutMS: 10_000,
    });
    try {
      const database = client.db('autoscaler');
      const workers = database.collection<{ _id: string }>('workers').find({ removedAtMs: null });
      const events = database
        .collection<{ _id: string; kind: string }>('events')
        .find()
        .sort({ atMs: -1, _id: -1 });
      return {
        workers: (await workers.toArray()).map(({ _id }) => _id).sort(),
        events: (await events.toArray()).map(({ _id, kind }) => ({ id: _id, kind })),
      };
    } finally {
      await client.close();
    }
  });

/** @param variable of the autoscaler's Secret that is the URL of the store. @param use gets that URL on this machine. */
async function inStore<T>(
  cluster: EstateCluster,
  name: string,
  variable: string,
  use: (url: string) => Promise<T>,
): Promise<T> {
  const { data } = await cluster.core.readNamespacedSecret({
    name: 'autoscaler',
    namespace: SYSTEM,
  });
  const url = new URL(Buffer.from(data?.[variable] ?? '', 'base64').toString());
  return waitUntil(
    `${name} to be read`,
    async () => {
      const [pod] = await cluster.pods(SYSTEM, `app.kubernetes.io/name=${name}`);
      if (pod === undefined) return undefined;
      return cluster.forwarded(pod, Number(url.port), async (port) => {
        const here = new URL(url);
        here.hostname = '127.0.0.1';
        here.port = String(port);
        return { read: await use(here.href) };
      });
    },
    { limitMs: 120_000 },
  ).then(({ read }) => read);
}
