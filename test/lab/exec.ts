import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';

/** What a command printed. */
export interface CommandOutput {
  readonly stdout: string;
  readonly stderr: string;
}

/** How to run a command. */
export interface CommandOptions {
  readonly cwd?: string;
  /** Added to this process's environment; `undefined` removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Standard input: text, or a stream that is piped in. */
  readonly input?: string | Readable;
  /** Called with every full line of both outputs, as it comes. */
  readonly onLine?: (line: string) => void;
  /** The command is killed after so long. Default: no limit. */
  readonly timeoutMs?: number;
}

/** A command that could not be started, was killed, or ended with another code than 0. */
export class CommandError extends Error {
  constructor(
    command: string,
    readonly code: number | string | undefined,
    readonly output: CommandOutput,
  ) {
    const text = (output.stderr.trim() || output.stdout.trim()).split('\n').slice(-15).join('\n');
    super(`\`${command}\` ended with ${String(code)}${text === '' ? '' : `:\n${text}`}`);
    this.name = 'CommandError';
  }
}

/**
 * Runs a command without a shell and waits for its end.
 * @throws CommandError with the last lines it printed; another error when the stream for its standard input breaks
 */
export function run(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandOutput> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      timeout: options.timeoutMs,
    });
    const output = { stdout: '', stderr: '' };
    const follow = (stream: Readable | null, name: keyof CommandOutput) => {
      let rest = '';
      stream?.setEncoding('utf8').on('data', (text: string) => {
        output[name] += text;
        const lines = (rest + text).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) options.onLine?.(line);
      });
    };
    follow(child.stdout, 'stdout');
    follow(child.stderr, 'stderr');
    const shown = [command, ...args].join(' ').slice(0, 300);
    child.on('error', (error: NodeJS.ErrnoException) => {
      reject(new CommandError(shown, error.code ?? error.message, output));
    });
    child.on('close', (code, signal) => {
      if (code === 0) resolve(output);
      else reject(new CommandError(shown, code ?? signal ?? undefined, output));
    });
    // A command that ends early breaks the pipe: its exit code says more than EPIPE would.
    child.stdin?.on('error', () => undefined);
    if (typeof options.input === 'string') child.stdin?.end(options.input);
    else if (options.input !== undefined && child.stdin !== null) {
      // What was to be read is not whole: the command must not take it for the end.
      options.input.on('error', (error) => {
        reject(new Error(`standard input of \`${shown}\`: ${error.message}`, { cause: error }));
        child.kill('SIGKILL');
      });
      options.input.pipe(child.stdin);
    }
  });
}

/** The path of a command on PATH or in the system folders; undefined where there is none. */
export async function which(command: string): Promise<string | undefined> {
  const path = `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin`;
  try {
    const { stdout } = await run('/bin/sh', ['-c', 'command -v "$0"', command], {
      env: { PATH: path },
    });
    return stdout.trim();
  } catch {
    return undefined;
  }
}
