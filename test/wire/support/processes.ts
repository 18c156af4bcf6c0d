import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export { freePorts } from './free-ports';

/** Programs of one test, each with a log file, which all end together. */
export class Processes {
  private readonly running: { name: string; child: ChildProcess }[] = [];

  constructor(private readonly folder: string) {}

  start(name: string, file: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): void {
    const child = spawn(file, args, {
      cwd: this.folder,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const log = createWriteStream(this.logOf(name));
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    child.on('error', (error) => log.write(`${error.message}\n`));
    this.running.push({ name, child });
  }

  /**
   * Waits until `ready` answers without an error.
   * @throws Error that names the program that died, with the end of its log; with the end of all logs when it takes
   *   too long.
   */
  async until(what: string, ready: () => Promise<unknown>, timeoutMs = 300_000): Promise<void> {
    const giveUpAt = Date.now() + timeoutMs;
    for (;;) {
      try {
        await ready();
        return;
      } catch (cause) {
        const dead = this.running.find(({ child }) => hasEnded(child));
        if (dead) {
          const how =
            dead.child.signalCode ?? `exit code ${dead.child.exitCode ?? 'none: it did not start'}`;
          const log = await this.logs(dead.name);
          throw new Error(`${what} did not come up: ${dead.name} ended (${how})\n${log}`, {
            cause,
          });
        }
        if (Date.now() > giveUpAt) {
          const limit = `not within ${timeoutMs / 1000} s`;
          throw new Error(`${what} did not come up: ${limit}\n${await this.logs()}`, { cause });
        }
      }
      await delay(100);
    }
  }

  /** Processor time that one has used so far, in ms; NaN when none of that name runs. */
  processorMs(name: string): Promise<number> {
    return processorMsOf(this.running.find((one) => one.name === name)?.child.pid);
  }

  /** Ends one at once, whatever it is doing. */
  kill(name: string): void {
    this.running.find((one) => one.name === name)?.child.kill('SIGKILL');
  }

  /** Ends all, the last started first, and waits for each. */
  async stop(): Promise<void> {
    for (const { child } of this.running.reverse()) {
      if (hasEnded(child)) continue;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      const hard = setTimeout(() => child.kill('SIGKILL'), 60_000);
      await ended;
      clearTimeout(hard);
    }
  }

  private logOf(name: string): string {
    return path.join(this.folder, `${name}.log`);
  }

  private async logs(name?: string): Promise<string> {
    const names = name === undefined ? this.running.map((p) => p.name) : [name];
    const ends = names.map(
      async (n) =>
        `--- ${n}\n${(await readFile(this.logOf(n), 'utf8').catch(() => '')).slice(-2_000)}`,
    );
    return (await Promise.all(ends)).join('\n');
  }
}

/** Hundredths of a second are what Linux counts in for everyone who asks (USER_HZ). */
const MS_PER_TICK = 10;

/** Processor time that a process has used so far, in ms; NaN when it does not run. */
export async function processorMsOf(pid: number | undefined): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The name in brackets may hold spaces; user and system time are fields 14 and 15 of all.
  const [user = NaN, system = NaN] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
    .map(Number);
  return (user + system) * MS_PER_TICK;
}

/** True also where a signal ended it, or where it could not be started at all. */
function hasEnded({ pid, exitCode, signalCode }: ChildProcess): boolean {
  return pid === undefined || exitCode !== null || signalCode !== null;
}
