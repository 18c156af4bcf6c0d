import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** A process to run to its end. */
export interface ProcessSpec {
  /** Program and arguments. */
  argv: string[];
  cwd?: string;
  env: NodeJS.ProcessEnv;
  stdin?: string;
  /** Called with each line of the streams that are to be shown. */
  onLine(line: string): void;
  show: { stdout: boolean; stderr: boolean };
  /** Aborting it kills the process and its children. */
  signal: AbortSignal;
}

export interface ProcessEnd {
  /** `undefined` when the process ended well, or `exit status 3`, `signal: SIGKILL`. */
  failure?: string;
  code: number | null;
  /** Without the last newline. */
  stdout: string;
  stderr: string;
  /** Both streams as they came. */
  combined: string;
}

/**
 * Runs a process and collects what it prints.
 *
 * @throws Error when it cannot be started (for example: no such program or folder).
 */
export async function runProcess(spec: ProcessSpec): Promise<ProcessEnd> {
  spec.signal.throwIfAborted();
  const [program = '', ...args] = spec.argv;
  // Its own process group, so that a shell's children end with it.
  const child = spawn(program, args, {
    cwd: spec.cwd,
    env: spec.env,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const kill = () => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
  };
  spec.signal.addEventListener('abort', kill, { once: true });

  const combined: string[] = [];
  const stdout = collect(child.stdout, combined, spec.show.stdout ? spec.onLine : undefined);
  const stderr = collect(child.stderr, combined, spec.show.stderr ? spec.onLine : undefined);
  // A command need not read its input.
  child.stdin.on('error', () => undefined);
  child.stdin.end(spec.stdin ?? '');
  try {
    const end = await new Promise<{ code: number | null; by: NodeJS.Signals | null }>(
      (resolve, reject) => {
        child.once('error', reject);
        child.once('close', (code, by) => resolve({ code, by }));
      },
    );
    return {
      failure: end.code === 0 ? undefined : failureOf(end.code, end.by),
      code: end.code,
      stdout: stdout.join('').replace(/\n$/, ''),
      stderr: stderr.join('').replace(/\n$/, ''),
      combined: combined.join(''),
    };
  } finally {
    spec.signal.removeEventListener('abort', kill);
  }
}

function failureOf(code: number | null, by: NodeJS.Signals | null): string {
  return code === null ? `signal: ${by ?? 'unknown'}` : `exit status ${code}`;
}

function collect(
  stream: Readable,
  combined: string[],
  onLine: ((line: string) => void) | undefined,
): string[] {
  const chunks: string[] = [];
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    chunks.push(chunk);
    combined.push(chunk);
  });
  if (onLine) createInterface({ input: stream, crlfDelay: Infinity }).on('line', onLine);
  return chunks;
}
