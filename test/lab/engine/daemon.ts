import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { LabContext } from '../context';

/** A process that outlives the command that started it. */
export interface Daemon {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Resolves once the daemon answers; what it throws until then is only told when time runs out. */
  readonly ready: () => Promise<unknown>;
}

/** Which process it is: a pid alone may have gone to another process since. */
interface ProcessId {
  readonly pid: number;
  /** Clock ticks from boot to the start of the process. */
  readonly startTicks: string;
}

const READY_LIMIT_MS = 300_000;
const STOP_LIMIT_MS = 60_000;
const POLL_MS = 50;

/**
 * Starts a daemon in the lab's network namespace unless it runs already, and waits until it answers.
 * @throws Error that says why, with the end of the log and the log's path
 */
export async function ensureDaemon(ctx: LabContext, daemon: Daemon): Promise<void> {
  let process = await runningDaemon(ctx, daemon.name);
  process ??= await startDaemon(ctx, daemon);
  const startedMs = performance.now();
  for (;;) {
    try {
      await daemon.ready();
      return;
    } catch (error) {
      const ended = !(await isAlive(process));
      if (ended || performance.now() - startedMs > READY_LIMIT_MS) {
        const why = ended ? 'ended while it was starting' : `does not answer: ${String(error)}`;
        throw new Error(`${daemon.name} ${why}\n${await logEnd(ctx, daemon.name)}`, {
          cause: error,
        });
      }
      await delay(POLL_MS);
    }
  }
}

async function startDaemon(ctx: LabContext, daemon: Daemon): Promise<ProcessId> {
  await mkdir(ctx.logDir, { recursive: true });
  const log = await open(logFile(ctx, daemon.name), 'a');
  try {
    // nsenter gives way to the daemon, so that its pid is the daemon's; mounts and cgroups stay this machine's.
    const child = spawn(
      'nsenter',
      [`--net=/run/netns/${ctx.netns}`, '--', daemon.command, ...daemon.args],
      {
        cwd: ctx.root,
        env: { ...process.env, ...daemon.env },
        detached: true,
        stdio: ['ignore', log.fd, log.fd],
      },
    );
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    child.unref();
    const pid = child.pid ?? 0;
    const started = { pid, startTicks: (await startTicks(pid)) ?? '' };
    await writeFile(pidFile(ctx, daemon.name), JSON.stringify(started));
    return started;
  } finally {
    await log.close();
  }
}

/** Ends a daemon that runs: SIGTERM, and SIGKILL where that is not enough. */
export async function stopDaemon(ctx: LabContext, name: string): Promise<void> {
  const running = await runningDaemon(ctx, name);
  if (running !== undefined) {
    process.kill(running.pid, 'SIGTERM');
    if (!(await endsWithin(running, STOP_LIMIT_MS))) {
      process.kill(running.pid, 'SIGKILL');
      await endsWithin(running, STOP_LIMIT_MS);
    }
  }
  await rm(pidFile(ctx, name), { force: true });
}

/** The daemon's process, if the one that was started still runs. */
export async function runningDaemon(ctx: LabContext, name: string): Promise<ProcessId | undefined> {
  const text = await readFile(pidFile(ctx, name), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const known = JSON.parse(text) as ProcessId;
    return (await isAlive(known)) ? known : undefined;
  } catch {
    return undefined;
  }
}

/** Names of the daemons that were ever started and not stopped. */
export async function knownDaemons(ctx: LabContext): Promise<string[]> {
  const folder = path.join(ctx.root, 'run');
  if (!existsSync(folder)) return [];
  return (await readdir(folder))
    .filter((file) => file.endsWith('.pid'))
    .map((file) => path.basename(file, '.pid'));
}

/** The last lines of a daemon's log, and where the whole of it is. */
export async function logEnd(ctx: LabContext, name: string): Promise<string> {
  const text = await readFile(logFile(ctx, name), 'utf8').catch(() => '');
  return `${text.trimEnd().split('\n').slice(-12).join('\n')}\nlog: ${logFile(ctx, name)}`;
}

const logFile = (ctx: LabContext, name: string) => path.join(ctx.logDir, `${name}.log`);
const pidFile = (ctx: LabContext, name: string) => path.join(ctx.root, 'run', `${name}.pid`);

async function isAlive(known: ProcessId): Promise<boolean> {
  return (await startTicks(known.pid)) === known.startTicks;
}

/** Undefined where there is no such process, or only what its parent has not reaped yet. */
async function startTicks(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // The second field is the command in brackets, which may itself hold spaces and brackets.
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields === undefined || fields[0] === 'Z' ? undefined : fields[19];
}

async function endsWithin(known: ProcessId, limitMs: number): Promise<boolean> {
  const startedMs = performance.now();
  while (await isAlive(known)) {
    if (performance.now() - startedMs > limitMs) return false;
    await delay(POLL_MS);
  }
  return true;
}

/** @returns whether a socket's file is there: what a daemon makes first */
export async function socketExists(file: string): Promise<void> {
  if (!(await stat(file)).isSocket()) throw new Error(`${file} is not a socket`);
}
