import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { run } from '../../lab/exec';
import { ensurePostgres } from './debian-server';
import { freePorts } from './processes';

/** PostgreSQL refuses to run as root; this is `nobody`, who owns nothing else. */
const NOBODY = 65534;

/** A PostgreSQL of one test, with its data in a temporary folder, on a free port of the loopback. */
export interface Postgres {
  readonly options: {
    readonly host: string;
    readonly port: number;
    readonly database: string;
    readonly user: string;
    readonly password: string;
  };
  start(): Promise<void>;
  /** Ends the server at once, as a crash would. */
  kill(): Promise<void>;
  query(sql: string): Promise<Record<string, unknown>[]>;
  /** Ends the server and removes its data. */
  remove(): Promise<void>;
}

/** Makes a database cluster; it does not run yet. */
export async function createPostgres(): Promise<Postgres> {
  const program = await ensurePostgres();
  const folder = await mkdtemp(path.join(tmpdir(), 'berth-postgres-'));
  const asNobody = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  await chmod(folder, 0o755);
  const data = path.join(folder, 'data');
  await mkdir(data, { mode: 0o700 });
  if (asNobody.uid !== undefined) await chown(data, NOBODY, NOBODY);
  const { bin, env } = await readableBy(asNobody.uid, program.file, program.env, folder);
  const [port = 0] = await freePorts(1);
  const options = {
    ...{ host: '127.0.0.1', port, database: 'postgres', user: 'posture', password: 'secret' },
  };
  const spawnOptions = { ...asNobody, cwd: data, env: { PATH: process.env['PATH'], ...env } };
  const initdb = spawn(
    path.join(bin, 'initdb'),
    ['-D', data, '-U', options.user, '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'],
    { ...spawnOptions, stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const [code] = (await once(initdb, 'exit')) as [number];
  if (code !== 0) throw new Error(`initdb ended with ${code}`);

  let server: ChildProcess | undefined;
  const query = async (sql: string): Promise<Record<string, unknown>[]> => {
    const client = new Client(options);
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(sql)).rows;
    } finally {
      await client.end();
    }
  };
  const kill = async (): Promise<void> => {
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, 'exit');
    // SIGQUIT ends PostgreSQL's own children with it, and leaves all else of a crash.
    server.kill('SIGQUIT');
    await ended;
  };
  return {
    options,
    query,
    kill,
    start: async () => {
      const launch = () =>
        spawn(
          path.join(bin, 'postgres'),
          ['-D', data, '-p', String(port), '-k', data, '-h', '127.0.0.1', '-c', 'fsync=off'],
          { ...spawnOptions, stdio: 'ignore' },
        );
      let starting = launch();
      server = starting;
      const giveUpAt = Date.now() + 300_000;
      for (;;) {
        const problem = await query('select 1').then(
          () => undefined,
          (error: Error) => error,
        );
        if (problem === undefined) return;
        if (Date.now() > giveUpAt) throw problem;
        await new Promise((resolve) => setTimeout(resolve, 100));
        // After a crash it refuses to start as long as a process of the one before has not ended.
        if (starting.exitCode !== null) server = starting = launch();
      }
    },
    remove: async () => {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Programs below a home that only its owner may enter are copied to where the server's user can read them. */
async function readableBy(
  uid: number | undefined,
  bin: string,
  env: Readonly<Record<string, string>>,
  folder: string,
) {
  const at = bin.indexOf('/usr/lib/postgresql/');
  if (uid === undefined || at === 0) return { bin, env };
  const root = bin.slice(0, at);
  const copy = path.join(folder, 'programs');
  await cp(path.join(root, 'usr'), path.join(copy, 'usr'), {
    recursive: true,
    verbatimSymlinks: true,
  });
  await run('chmod', ['-R', 'a+rX', copy]);
  const moved = (text: string): string => text.replace(root, copy);
  return {
    bin: moved(bin),
    env: Object.fromEntries(Object.entries(env).map(([name, value]) => [name, moved(value)])),
  };
}
