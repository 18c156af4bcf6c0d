import { plainProgress } from './progress-plain';
import { liveProgress } from './progress-live';
import type { Progress } from './progress';
import { stackFolder, type StackFolder } from './stack-folder';

/** A terminal that is narrower, or does not say how wide it is, gets plain lines. */
const MIN_COLUMNS = 40;

/** What every command is given. */
export interface CommandContext {
  readonly projectDir: string;
  readonly folder: StackFolder;
  /** The environment that the command was started with. */
  readonly env: NodeJS.ProcessEnv;
  /** Aborted when the user wants the command to end. */
  readonly signal: AbortSignal;
  readonly progress: Progress;
  /** Writes a line of the command's result to standard output. */
  readonly print: (line: string) => void;
  /** Writes a line about the run to standard error. */
  readonly warn: (line: string) => void;
}

/** Options that all commands about a stack take. */
export interface CommonOptions {
  readonly stack: string;
  readonly json?: boolean;
  /** Print the result as Markdown; like JSON, it has standard output to itself. */
  readonly markdown?: boolean;
  readonly verbose?: boolean;
}

/**
 * What a command is given, for this process.
 * @param options with `json` or `markdown`, standard output holds nothing but the result, and progress goes to standard error.
 */
export function commandContext(
  projectDir: string,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
  { stack, json = false, markdown = false, verbose = false }: CommonOptions,
): CommandContext {
  const print = (line: string) => void process.stdout.write(`${line}\n`);
  const warn = (line: string) => void process.stderr.write(`${line}\n`);
  const isWide = (process.stdout.columns ?? 0) >= MIN_COLUMNS;
  const isPiped = json || markdown;
  const live = !isPiped && !verbose && process.stdout.isTTY && isWide && !env.CI;
  const progress = live ? liveProgress() : plainProgress(isPiped ? warn : print);
  const folder = stackFolder(projectDir, stack);
  return { projectDir, folder, env, signal, progress, print, warn };
}
