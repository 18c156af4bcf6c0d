import { spawn } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { buildAnalyzerContext, buildServiceContext } from '../../../components/build-context';

/** A folder of the test that every user may enter. */
export async function temporaryFolder(name: string): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), `berth-${name}-`));
  await chmod(folder, 0o755);
  return folder;
}

const contexts = new Map<string, Promise<string>>();

/** The build context of a service, as its image has it under /app; made once in a run and removed at its end. */
export function contextOf(
  service: 'analyzer' | 'image-feeder' | 'external-scaler',
): Promise<string> {
  const made =
    contexts.get(service) ??
    temporaryFolder(service).then((folder) =>
      service === 'analyzer' ? buildAnalyzerContext(folder) : buildServiceContext(service, folder),
    );
  contexts.set(service, made);
  return made;
}

after(async () => {
  for (const made of contexts.values()) await rm(await made, { recursive: true, force: true });
  contexts.clear();
});

/** One line of a service's log. */
export type LogLine = Readonly<Record<string, unknown>>;

/** A service as a process of its own, with nothing in its environment but what the test gives. */
export class ServiceProcess {
  readonly lines: LogLine[] = [];
  /** Whatever was printed that is not JSON. */
  other = '';
  /** Exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
  private readonly child;
  private readonly waiting = new Set<() => void>();
  private over = false;

  constructor(directory: string, env: Record<string, string>, user?: number) {
    this.child = spawn(process.execPath, [path.join(directory, 'main.js')], {
      env: { PATH: process.env['PATH'], ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: '/',
      ...(user === undefined ? {} : { uid: user, gid: user }),
    });
    for (const stream of [this.child.stdout, this.child.stderr])
      createInterface({ input: stream }).on('line', (line) => this.read(line));
    this.ended = new Promise((resolve) =>
      this.child.once('close', (code, signal) => {
        this.over = true;
        this.wake();
        resolve(code ?? signal ?? 'SIGKILL');
      }),
    );
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Lines of one event. */
  events(event: string): LogLine[] {
    return this.lines.filter((line) => line['event'] === event);
  }

  /** Waits until the log fulfils a condition. @throws Error with the log when the process ends before. */
  async until(what: string, condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.over) throw new Error(`it ended before ${what}:\n${this.log()}`);
      await new Promise<void>((resolve) => this.waiting.add(resolve));
    }
  }

  /** Most memory that the process has had so far, in bytes. */
  async peakMemoryBytes(): Promise<number> {
    const status = await readFile(`/proc/${this.child.pid}/status`, 'utf8');
    return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
  }

  log(): string {
    return [...this.lines.map((line) => JSON.stringify(line)), this.other].join('\n').slice(-6000);
  }

  private read(line: string): void {
    try {
      this.lines.push(JSON.parse(line) as LogLine);
    } catch {
      this.other += `${line}\n`;
    }
    this.wake();
  }

  private wake(): void {
    for (const resolve of this.waiting) resolve();
    this.waiting.clear();
  }
}
