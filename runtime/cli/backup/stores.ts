import { Redis } from 'ioredis';
import { MongoClient } from 'mongodb';
import type { KubeConfig } from '@kubernetes/client-node';
import { autoscalerSettings } from '../../autoscaler/settings';
import type { ProxiedService } from '../service-proxy';
import { messageOf, UserError } from '../user-error';
import { openTunnel, type Tunnel } from './tunnel';

const TIMEOUT_MS = 15_000;

/** Where the autoscaler's data are, with passwords. */
export interface StoreUrls {
  readonly redis: string;
  readonly mongodb: string;
}

/** What the autoscaler of a cluster was told. @throws UserError where its Secret says less */
export async function storeUrls(
  config: KubeConfig,
  { name, namespace }: ProxiedService,
): Promise<StoreUrls> {
  const { CoreV1Api } = await import('@kubernetes/client-node');
  const { data } = await config.makeApiClient(CoreV1Api).readNamespacedSecret({ name, namespace });
  const value = (key: string): string => {
    const text = Buffer.from(data?.[key] ?? '', 'base64').toString();
    if (text === '') throw new UserError(`Secret ${namespace}/${name} has no ${key}`);
    return text;
  };
  const { redisUrl, mongoUrl } = autoscalerSettings;
  return { redis: value(redisUrl.env), mongodb: value(mongoUrl.env) };
}

/** Runs with a connection to Redis, and ends it. @throws UserError, without the password, where there is none */
export async function withRedis<T>(
  config: KubeConfig,
  url: string,
  run: (redis: Redis) => Promise<T>,
): Promise<T> {
  const tunnel = await openTunnel(config, url);
  const redis = new Redis(tunnel.url, {
    lazyConnect: true,
    connectTimeout: TIMEOUT_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  let lost: Error | undefined;
  redis.on('error', (error: Error) => (lost = error));
  try {
    await redis.connect().catch((error: unknown) => {
      throw unreachable('Redis', tunnel, lost ?? error);
    });
    return await run(redis);
  } finally {
    redis.disconnect();
    await tunnel.close();
  }
}

/** The same with MongoDB. */
export async function withMongo<T>(
  config: KubeConfig,
  url: string,
  run: (client: MongoClient) => Promise<T>,
): Promise<T> {
  const tunnel = await openTunnel(config, url);
  const client = new MongoClient(tunnel.url, {
    appName: 'berth-backup',
    // Behind a tunnel, the addresses that it says of itself lead nowhere.
    ...(tunnel.url === url ? {} : { directConnection: true }),
    serverSelectionTimeoutMS: TIMEOUT_MS,
  });
  try {
    // A refused password shows with the first request only.
    await client
      .connect()
      .then(() => client.db().admin().listDatabases({ nameOnly: true }))
      .catch((error: unknown) => {
        throw unreachable('MongoDB', tunnel, error);
      });
    return await run(client);
  } finally {
    await client.close();
    await tunnel.close();
  }
}

const unreachable = (what: string, tunnel: Tunnel, error: unknown): UserError =>
  new UserError(`${what} does not answer: ${tunnel.problem() ?? messageOf(error)}`, {
    cause: error,
  });
