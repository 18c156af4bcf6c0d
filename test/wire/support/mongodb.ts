import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MongoClient } from 'mongodb';
import { ensurePrograms } from '../../lab/programs';
import { consoleReporter } from '../../lab/report';
import { freePorts, Processes } from './processes';

/** A server of one test that speaks MongoDB's wire protocol, with a user, on a free port of the loopback. */
export interface MongoServer {
  /** With user and password. */
  readonly url: string;
  /** The same for somebody with a wrong password. */
  readonly strangersUrl: string;
  start(): Promise<void>;
  /** Ends it; what was written stays for the next start. */
  stop(): Promise<void>;
  /** The same by SIGKILL. */
  kill(): Promise<void>;
  /** Ends it and removes its data. */
  remove(): Promise<void>;
}

const USER = 'autoscaler';
const PASSWORD = 'secret';

/** Prepares the lab's stand-in for MongoDB; it does not run yet. */
export async function createMongo(): Promise<MongoServer> {
  const { 'mongodb-stand-in': file } = await ensurePrograms(
    ['mongodb-stand-in'],
    consoleReporter(),
  );
  const [port = 0] = await freePorts(1);
  const folder = await mkdtemp(path.join(tmpdir(), 'berth-mongodb-'));
  const data = path.join(folder, 'data');
  await mkdir(data);
  const urlOf = (password: string): string =>
    `mongodb://${USER}:${password}@127.0.0.1:${port}/?authSource=admin`;
  const url = urlOf(PASSWORD);
  let processes: Processes | undefined;
  const ping = async (): Promise<void> => {
    const client = new MongoClient(url, { serverSelectionTimeoutMS: 1000 });
    try {
      await client.db('admin').command({ ping: 1 });
    } finally {
      await client.close();
    }
  };
  const stop = async (): Promise<void> => {
    await processes?.stop();
    processes = undefined;
  };
  return {
    url,
    strangersUrl: urlOf('wrong'),
    stop,
    kill: () => {
      processes?.kill('mongodb');
      return stop();
    },
    start: async () => {
      const started = new Processes(folder);
      processes = started;
      started.start('mongodb', file, ['--port', String(port), '--dbpath', data], {
        MONGO_INITDB_ROOT_USERNAME: USER,
        MONGO_INITDB_ROOT_PASSWORD: PASSWORD,
      });
      await started.until('mongodb', ping);
    },
    remove: async () => {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
