import { Redis } from 'ioredis';

/** How Redis is reached. */
export interface RedisOptions {
  readonly url: string;
  /** Time limit of one command, and of connecting. */
  readonly timeoutMs: number;
}

const RECONNECT_MAX_MS = 2000;

/**
 * A connection that comes back by itself. Commands fail while it is away, within the time limit, and are never sent
 * again on their own: whoever sent them knows what to do about it. Errors of the connection go to `onError`; the URL,
 * which carries the password, is in none of them.
 */
export function connectRedis(options: RedisOptions, onError: (error: Error) => void): Redis {
  const { url, timeoutMs } = options;
  const redis = new Redis(url, {
    commandTimeout: timeoutMs,
    connectTimeout: timeoutMs,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    retryStrategy: (times) => Math.min(times * 100, RECONNECT_MAX_MS),
  });
  redis.on('error', onError);
  return redis;
}
