import { spawn } from 'node:child_process';

/** How long a child may take to end after it was asked to. */
const GRACE_MS = 20_000;

export interface ChildOptions {
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Aborting ends the child and all its children: by SIGINT first, and after 20 s by SIGKILL. */
  readonly signal: AbortSignal;
  /** `inherit` shows its output as it comes; `pipe` collects it. */
  readonly output: 'inherit' | 'pipe';
}

export interface ChildResult {
  /** Exit code; null where a signal ended it. */
  readonly code: number | null;
  /** Standard output and error as they came; empty where they were inherited. */
  readonly output: string;
}

/** Runs a Node.js script to its end, in a process group of its own so that it can be ended as a whole. */
export function runNode(
  script: string,
  args: readonly string[],
  { cwd, env, signal, output }: ChildOptions,
): Promise<ChildResult> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return resolve({ code: null, output: '' });
    const child = spawn(process.execPath, [script, ...args], {
      cwd,
      env,
      detached: true,
      stdio: ['ignore', output, output],
    });
    const chunks: Buffer[] = [];
    child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stderr?.on('data', (chunk: Buffer) => chunks.push(chunk));
    const kill = (name: NodeJS.Signals) => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, name);
      } catch {
        // The whole group has ended.
      }
    };
    let force: NodeJS.Timeout | undefined;
    const abort = () => {
      kill('SIGINT');
      force = setTimeout(() => kill('SIGKILL'), GRACE_MS);
    };
    signal.addEventListener('abort', abort);
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(force);
      signal.removeEventListener('abort', abort);
      resolve({ code, output: Buffer.concat(chunks).toString() });
    });
  });
}
