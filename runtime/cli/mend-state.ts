import { readFileSync } from 'node:fs';
import type { Stack } from '@pulumi/pulumi/automation';
import { mendEngineLocks } from './engine-lock';
import { halfMadeObjects, withoutPendingOperations } from './pending-operations';
import type { DeploymentState, StateResource } from './pending-operations';
import type { Phase } from './progress';
import { stateFile, type Engine } from './project';
import { runCommand } from './run-command';
import type { StackFolder } from './stack-folder';

/**
 * Removes what a killed run left in a stack's own state: locks of dead engines, and operations that were cut off,
 * with the Docker objects that they may have half made. What they were about is done again by the next update.
 */
export async function mendState(
  folder: StackFolder,
  engine: Engine,
  stack: Stack,
  phase: Phase,
): Promise<void> {
  const pending = readDeployment(folder)?.pending_operations ?? [];
  if (pending.length === 0) return;
  const exported = await stack.exportStack();
  const deployment = exported.deployment as DeploymentState;
  for (const { kind, name } of halfMadeObjects(deployment)) {
    const exists = await docker(engine, kind, 'inspect', name).then(
      () => true,
      () => false,
    );
    if (!exists) continue;
    await docker(engine, kind, 'rm', ...(kind === 'container' ? ['--force'] : []), name);
    phase.line(`removed ${kind} ${name}, which a killed run had half made`);
  }
  await stack.importStack({ ...exported, deployment: withoutPendingOperations(deployment) });
  phase.line(`took up ${pending.length} operations that a killed run had not finished`);
}

/** Removes the locks of engines that are no more. @throws UserError where one is at work. */
export function mendLocks(folder: StackFolder, phase: Phase): void {
  const locks = mendEngineLocks(folder);
  if (locks > 0) phase.line('removed the lock of a killed run');
}

/**
 * Starts the stack's containers that have stopped, as after the machine went down.
 * @returns how many containers the stack has, and the names of those that are gone or do not start.
 */
export async function startStopped(
  folder: StackFolder,
  engine: Engine,
): Promise<{ readonly count: number; readonly missing: readonly string[] }> {
  const names = stateResources(folder).flatMap(({ type, inputs }) =>
    type === 'docker:index/container:Container' && typeof inputs?.name === 'string'
      ? [inputs.name]
      : [],
  );
  const missing: string[] = [];
  for (const name of names)
    await docker(engine, 'container', 'start', name).catch(() => missing.push(name));
  return { count: names.length, missing };
}

/** What the stack's own state holds, apart from the stack itself and its providers. */
export function stateResources(folder: StackFolder): StateResource[] {
  return (readDeployment(folder)?.resources ?? []).filter(
    ({ type }) => type !== 'pulumi:pulumi:Stack' && !type.startsWith('pulumi:providers:'),
  );
}

/** The deployment in the stack's own state; undefined where there is none, or its backend is another. */
function readDeployment(folder: StackFolder): DeploymentState | undefined {
  const file = stateFile(folder);
  if (file === undefined) return undefined;
  const state = JSON.parse(readFileSync(file, 'utf8')) as {
    checkpoint?: { latest?: DeploymentState };
  };
  return state.checkpoint?.latest;
}

function docker(engine: Engine, ...args: string[]): Promise<string> {
  return runCommand('docker', args, { env: engine.env });
}
