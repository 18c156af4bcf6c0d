import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import { ensureRedis } from './debian-server';
import { freePorts, Processes } from './processes';

/** A real Redis of one test, with password and append-only file, on a free port of the loopback. */
export interface RedisServer {
  readonly url: string;
  start(): Promise<void>;
  /** Ends it; what was written stays for the next start. */
  stop(): Promise<void>;
  /** The same by SIGKILL. */
  kill(): Promise<void>;
  /** Ends it and removes its data. */
  remove(): Promise<void>;
}

const PASSWORD = 'secret';

/** Prepares a server; it does not run yet. */
export async function createRedis(): Promise<RedisServer> {
  const { file, env } = await ensureRedis();
  const [port = 0] = await freePorts(1);
  const folder = await mkdtemp(path.join(tmpdir(), 'berth-redis-'));
  const url = `redis://:${PASSWORD}@127.0.0.1:${port}`;
  let processes: Processes | undefined;
  const ping = async (): Promise<void> => {
    const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.ping();
    } finally {
      client.disconnect();
    }
  };
  const stop = async (): Promise<void> => {
    await processes?.stop();
    processes = undefined;
  };
  return {
    url,
    stop,
    kill: () => {
      processes?.kill('redis');
      return stop();
    },
    start: async () => {
      const started = new Processes(folder);
      processes = started;
      const options = {
        ...{ port: String(port), bind: '127.0.0.1', dir: folder, requirepass: PASSWORD },
        ...{ appendonly: 'yes', appendfsync: 'always', save: '' },
      };
      const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
      started.start('redis', file, args, env);
      await started.until('redis', ping);
    },
    remove: async () => {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
