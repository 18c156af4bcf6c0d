import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { invocationOf, type RunSpec } from './invocation';

/** How a program ended: `error` is empty when it ended well; `bail` says the user already saw why. */
export interface ProgramEnd {
  error: string;
  bail: boolean;
}

/** The exit code by which Pulumi's runner says that it has shown the user what went wrong. */
const ALREADY_SHOWN = 32;
/** How long an interrupted program may take to end by itself. */
const GRACE_MS = 5_000;
const OUT_OF_MEMORY = /Allocation failed - JavaScript heap out of memory/;

/**
 * Runs the program in a child `node` and waits for its end. Its output goes to this process' own
 * stdout and stderr, which the engine reads. When `signal` aborts, the program is interrupted, and
 * killed if it does not end.
 */
export async function runProgram(spec: RunSpec, signal: AbortSignal): Promise<ProgramEnd> {
  let invocation;
  try {
    invocation = invocationOf(spec, locateRunner(spec.programDirectory));
  } catch (error) {
    return { error: (error as Error).message, bail: false };
  }
  const child = spawn(process.execPath, invocation.args, {
    cwd: spec.programDirectory,
    env: { ...process.env, ...invocation.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let outOfMemory = false;
  child.stdout.pipe(process.stdout, { end: false });
  child.stderr.pipe(process.stderr, { end: false });
  child.stderr.on('data', (chunk: Buffer) => {
    outOfMemory ||= OUT_OF_MEMORY.test(chunk.toString());
  });

  let killTimer: NodeJS.Timeout | undefined;
  const interrupt = () => {
    child.kill('SIGINT');
    killTimer = setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
  };
  if (signal.aborted) interrupt();
  signal.addEventListener('abort', interrupt, { once: true });
  try {
    return await new Promise<ProgramEnd>((resolve) => {
      child.once('error', (error) => resolve({ error: startFailure(error), bail: false }));
      child.once('close', (code, killedBy) => resolve(endOf(code, killedBy, outOfMemory)));
    });
  } finally {
    clearTimeout(killTimer);
    signal.removeEventListener('abort', interrupt);
  }
}

/** Where the program's own @pulumi/pulumi keeps its runner. */
function locateRunner(programDirectory: string): string {
  const module = process.env.PULUMI_LANGUAGE_NODEJS_RUN_PATH || '@pulumi/pulumi/cmd/run';
  try {
    return createRequire(join(programDirectory, 'index.js')).resolve(module);
  } catch {
    throw new Error(
      `It looks like the Pulumi SDK has not been installed: ${module} is not found from ` +
        `${programDirectory}. Run npm install.`,
    );
  }
}

function startFailure(error: Error): string {
  return `Problem executing program (could not run language executor): ${error.message}`;
}

/** What an exit code, or the signal that ended the program, means to the engine. */
export function endOf(
  code: number | null,
  killedBy: NodeJS.Signals | null,
  outOfMemory: boolean,
): ProgramEnd {
  if (code === 0) return { error: '', bail: false };
  if (code === ALREADY_SHOWN) return { error: '', bail: true };
  const what =
    code === null
      ? `Program was ended by ${killedBy ?? 'a signal'}`
      : `Program exited with non-zero exit code: ${code}`;
  const hint = outOfMemory
    ? '. Detected a possible out of memory error. Consider increasing the memory available to the ' +
      'nodejs process by setting the `nodeargs` runtime option in Pulumi.yaml to ' +
      '`nodeargs: --max-old-space-size=<size>` where `<size>` is the maximum memory in megabytes'
    : '';
  return { error: what + hint, bail: false };
}
