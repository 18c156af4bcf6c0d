import { spawn } from 'node:child_process';

export interface RunOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Text for its standard input; nothing by default. */
  readonly input?: string;
  readonly signal?: AbortSignal;
}

/** Runs a program to its end and resolves to its standard output; see `runCommand`. */
export type RunCommand = (
  file: string,
  args: readonly string[],
  options?: RunOptions,
) => Promise<string>;

/**
 * Runs a program to its end.
 * @returns its standard output.
 * @throws Error with the last lines it printed, when it cannot be started or ends badly.
 */
export const runCommand: RunCommand = (file, args, options = {}) =>
  new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      cwd: options.cwd,
      env: options.env,
      signal: options.signal,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.stdin.on('error', () => undefined); // It may end without having read its input.
    child.stdin.end(options.input ?? '');
    child.on('error', reject);
    child.on('close', (code, killedBy) => {
      const stdout = Buffer.concat(out).toString();
      if (code === 0) return resolve(stdout);
      const said = `${Buffer.concat(err).toString()}\n${stdout}`.trim().split('\n').slice(-10);
      const how = code === null ? `was ended by ${killedBy}` : `ended with code ${code}`;
      reject(new Error(`${[file, ...args].join(' ')} ${how}\n${said.join('\n')}`));
    });
  });
