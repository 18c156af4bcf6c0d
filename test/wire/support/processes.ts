import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

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

  /** Waits until `ready` answers without an error. @throws Error with the end of the logs when a program died */
  async until(what: string, ready: () => Promise<unknown>, timeoutMs = 120_000): Promise<void> {
    const giveUpAt = Date.now() + timeoutMs;
    for (;;) {
      try {
        await ready();
        return;
      } catch (error) {
        const dead = this.running.find(({ child }) => child.exitCode !== null);
        if (dead || Date.now() > giveUpAt) {
          throw new Error(`${what} did not come up: ${await this.logs(dead?.name)}`, {
            cause: error,
          });
        }
      }
      await delay(100);
    }
  }

  /** Ends all, the last started first, and waits for each. */
  async stop(): Promise<void> {
    for (const { child } of this.running.reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      const hard = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await ended;
      clearTimeout(hard);
    }
  }

  private logOf(name: string): string {
    return path.join(this.folder, `${name}.log`);
  }

  private async logs(name: string | undefined): Promise<string> {
    const names = name === undefined ? this.running.map((p) => p.name) : [name];
    const ends = names.map(
      async (n) => `--- ${n}\n${(await readFile(this.logOf(n), 'utf8')).slice(-2_000)}`,
    );
    return (await Promise.all(ends)).join('\n');
  }
}

/** Ports of 127.0.0.1 that nobody listens on. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((s) => new Promise((resolve) => s.close(resolve))));
  return ports;
}
