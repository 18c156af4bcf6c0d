import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { log } from './log';

interface Running {
  name: string;
  child: ChildProcess;
  ended: Promise<unknown>;
}

/**
 * Runs a node's programs. As in k3s, where all of them are one process, the end of any is the end of
 * all: the container then stops, and its restart policy decides.
 */
export class Supervisor {
  private readonly running: Running[] = [];
  private stopping = false;

  /** @param onDeath called once, with a clear line, when a program ends that should not have. */
  constructor(private readonly onDeath: (reason: string) => void) {}

  /** Starts a program; its output becomes the container's, each line after the program's name, and is shown to `onLine`. */
  start(
    name: string,
    command: string,
    args: readonly string[],
    onLine: (line: string) => void = () => undefined,
  ): void {
    if (this.stopping) return;
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      // In a group of its own, so that a signal for the container reaches it only in due order.
      detached: true,
    });
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on('line', (line) => {
        process.stdout.write(`${name}: ${line}\n`);
        onLine(line);
      });
    child.on('error', (error) => this.died(name, error.message));
    child.on('exit', (code, signal) => this.died(name, signal ?? `exit code ${code}`));
    this.running.push({ name, child, ended: once(child, 'exit').catch(() => undefined) });
    log(`started ${name}`);
  }

  private died(name: string, how: string): void {
    if (this.stopping) return;
    this.onDeath(`${name} ended unexpectedly (${how})`);
  }

  /** Ends all programs, the last started first; one that takes longer than `graceMs` is killed. */
  async stop(graceMs: number): Promise<void> {
    this.stopping = true;
    for (const { name, child, ended } of this.running.reverse()) {
      if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGTERM');
      const timer = setTimeout(() => {
        log(`${name} did not stop in ${graceMs} ms, killed`);
        child.kill('SIGKILL');
      }, graceMs);
      await ended;
      clearTimeout(timer);
    }
  }
}
