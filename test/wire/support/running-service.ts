import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';
import { NEVER_BUNDLED } from '../../../components/build-context';
import { processorMsOf } from './processes';

const bundles = new Map<string, Promise<string>>();

/** A service as it is put into its image: one file, made once for all tests of this run. */
export function bundleOf(service: string): Promise<string> {
  const made = bundles.get(service) ?? makeBundle(service);
  bundles.set(service, made);
  return made;
}

async function makeBundle(service: string): Promise<string> {
  const folder = mkdtempSync(path.join(tmpdir(), `berth-${service}-`));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const outfile = path.join(folder, 'main.js');
  await build({
    entryPoints: [path.join(__dirname, `../../../runtime/${service}/main.ts`)],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node22',
    external: NEVER_BUNDLED,
    outfile,
    logLevel: 'error',
  });
  return outfile;
}

/** A line of its log. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly msg: string };

/** A service that answers HTTP and runs as a process of its own. */
export class RunningService {
  readonly lines: LogLine[] = [];
  readonly exited: Promise<number | null>;
  #rest = '';
  #errors = '';

  private constructor(
    private readonly child: ChildProcess,
    /** Its whole environment. */
    readonly env: NodeJS.ProcessEnv,
  ) {
    child.stdout?.on('data', (chunk: Buffer) => this.#take(chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (this.#errors += chunk.toString()));
    // Not `exit`: what it has said before may still be on its way then.
    this.exited = new Promise((resolve) => child.once('close', (code) => resolve(code)));
  }

  static async start(
    service: string,
    env: Readonly<Record<string, string>>,
  ): Promise<RunningService> {
    const whole = {
      PATH: process.env.PATH,
      HTTP_HOST: '127.0.0.1',
      PORT: '0',
      LEASE_NAMESPACE: 'default',
      ...env,
    };
    const child = spawn(process.execPath, [await bundleOf(service)], {
      env: whole,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const started = new RunningService(child, whole);
    try {
      await started.until('it starts', (line) => line.msg === 'started');
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
    return started;
  }

  /** What it has written to standard error. */
  get errors(): string {
    return this.#errors;
  }

  /** Where it answers. */
  get url(): string {
    return `http://${this.env['HTTP_HOST']}:${String(this.lines.find(({ msg }) => msg === 'started')?.['port'])}`;
  }

  async get(route: string): Promise<{ status: number; body: Record<string, unknown> }> {
    const response = await fetch(`${this.url}${route}`);
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }

  async metric(name: string): Promise<number | undefined> {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    const line = text.split('\n').find((one) => one.startsWith(`${name} `));
    return line === undefined ? undefined : Number(line.slice(name.length + 1));
  }

  /** Waits for a line of the log. @throws when the process ends first, or it takes too long. */
  async until(what: string, is: (line: LogLine) => boolean, limitMs = 600_000): Promise<LogLine> {
    const untilMs = Date.now() + limitMs;
    for (;;) {
      const found = this.lines.find(is);
      if (found !== undefined) return found;
      const over = this.child.exitCode !== null || this.child.signalCode !== null;
      if (over || Date.now() > untilMs) {
        const tail = this.lines.slice(-10).map((line) => JSON.stringify(line));
        throw new Error(`${what}: not seen; log ends with\n${tail.join('\n')}\n${this.#errors}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  leads(): Promise<LogLine> {
    return this.until('it becomes the leader', (line) => line.msg === 'became the leader');
  }

  /** Processor time that it has used so far, in ms. */
  processorMs(): Promise<number> {
    return processorMsOf(this.child.pid);
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** Ends it cleanly, or hard when it does not end. Gives the exit code. */
  async stop(): Promise<number | null> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return this.child.exitCode;
    this.child.kill('SIGTERM');
    const hard = setTimeout(() => this.child.kill('SIGKILL'), 60_000);
    const code = await this.exited;
    clearTimeout(hard);
    return code;
  }

  #take(text: string): void {
    const parts = (this.#rest + text).split('\n');
    this.#rest = parts.pop() ?? '';
    for (const part of parts) {
      if (part !== '') this.lines.push(JSON.parse(part) as LogLine);
    }
  }
}
