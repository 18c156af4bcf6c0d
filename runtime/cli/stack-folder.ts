import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from './user-error';

/** Where everything of one stack lies: `.berth/<stack>/` of the project. All paths are absolute. */
export interface StackFolder {
  readonly stack: string;
  readonly projectDir: string;
  readonly root: string;
  /** Admin kubeconfig of the stack's cluster (0600). */
  readonly kubeconfig: string;
  /** The stack's plain outputs as JSON, so that `status` needs no engine. */
  readonly outputs: string;
  /** The engine's state: a file backend. */
  readonly state: string;
  /** Passphrase of the state's secrets (0600). */
  readonly passphrase: string;
  /** The project that the engine reads: generated before each run. */
  readonly project: string;
  readonly logs: string;
  /** One CSV for each job. */
  readonly results: string;
  /** Names the process of the run in progress. */
  readonly runLock: string;
}

/**
 * The folder of a stack. Touches nothing.
 * @throws UserError for a name that is not one of an engine's stacks.
 */
export function stackFolder(projectDir: string, stack: string): StackFolder {
  if (!/^[A-Za-z0-9_.-]{1,100}$/.test(stack) || /^\.+$/.test(stack))
    throw new UserError(
      `stack ${JSON.stringify(stack)}: only letters, digits, "-", "_" and "." are allowed`,
    );
  const root = join(projectDir, '.berth', stack);
  return {
    stack,
    projectDir,
    root,
    kubeconfig: join(root, 'kubeconfig'),
    outputs: join(root, 'outputs.json'),
    state: join(root, 'state'),
    passphrase: join(root, 'passphrase'),
    project: join(root, 'project'),
    logs: join(root, 'logs'),
    results: join(root, 'results'),
    runLock: join(root, 'run.lock'),
  };
}

/**
 * Checks that the project has a configuration for a stack.
 * @throws UserError naming the stacks there are.
 */
export function requireStackConfig(projectDir: string, stack: string): void {
  if (existsSync(join(projectDir, `Pulumi.${stack}.yaml`))) return;
  const there = readdirSync(projectDir)
    .map((name) => /^Pulumi\.(.+)\.yaml$/.exec(name)?.[1])
    .filter((name) => name !== undefined);
  throw new UserError(
    `stack ${stack}: there is no Pulumi.${stack}.yaml; this project has: ${there.join(', ') || 'none'}`,
  );
}
