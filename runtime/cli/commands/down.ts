import { existsSync, readdirSync, rmSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import type { CommandContext, CommonOptions } from '../command-context';
import { openStack, runEngine } from '../engine';
import { describeChanges } from '../engine-events';
import { mendLocks, mendState, stateResources } from '../mend-state';
import { reporterOf } from '../progress';
import { prepareStack } from '../project';
import type { StackSettings } from '../project-config';
import { forgettingUnreachable, revive } from '../revive';
import { ProtectedError, requireUnprotected } from '../protection';
import { runCommand } from '../run-command';
import { holdStack } from '../run-lock';
import { safetyRules } from '../safety';
import { stackFolder, type StackFolder } from '../stack-folder';
import { messageOf, UserError } from '../user-error';
import { chooseWorkbench, openWorkbench } from '../workbench';

/** What `down` leaves of a stack's folder: what its jobs found, and what its runs logged. */
const KEPT = new Set(['results', 'logs']);

export interface DownOptions extends CommonOptions {
  /** Forget the stack even where what it made cannot be taken down. */
  readonly force?: boolean;
}

/**
 * `npm run down`: takes down what `up` made, and the lab if no other stack needs it.
 * @param own what the stack's file would say, where there is none.
 */
export async function down(
  context: CommandContext,
  options: DownOptions,
  own?: StackSettings,
): Promise<number> {
  const { folder, env, print, progress } = context;
  const kind = chooseWorkbench(env);
  const isRemote = kind === 'own' && Boolean(env.PULUMI_BACKEND_URL);
  const hasLab = existsSync(join(context.projectDir, '.berth', 'lab'));
  if (!isRemote && !hasLab && !hasState(folder)) {
    print(`stack ${folder.stack} is down: nothing to do`);
    return 0;
  }
  const release = holdStack(folder, 'down');
  try {
    if (isRemote || stateResources(folder).length > 0)
      await destroy(context, options, own).catch((error: unknown) =>
        tolerate(context, options, error),
      );
    forget(folder);
    const others = otherStacks(context.projectDir, folder.stack);
    // What the program bundled for the image builds; any `up` makes it anew.
    if (others.length === 0)
      rmSync(join(context.projectDir, '.berth', 'build'), { recursive: true, force: true });
    if (others.length > 0) print(`the lab stays: ${others.join(', ')} needs it`);
    else if (hasLab || kind === 'lab')
      await progress.phase('Lab', async (phase) => {
        const { stopLab } = await import('../../../test/lab/index');
        await stopLab({ projectDir: context.projectDir, reporter: reporterOf(phase) });
      });
    print(`stack ${folder.stack} is down`);
    return 0;
  } finally {
    release();
    removeIfEmpty(folder.root);
  }
}

async function destroy(
  context: CommandContext,
  options: DownOptions,
  own?: StackSettings,
): Promise<void> {
  const { folder, progress, print, signal } = context;
  const bench = await progress.phase('Lab', (phase) => openWorkbench(folder, context.env, phase));
  signal.throwIfAborted();
  await progress.phase(`Take down ${folder.stack}`, async (phase) => {
    mendLocks(folder, phase);
    const unfiled = own && { settings: own, secrets: {} };
    await prepareStack(folder, bench, bench.overrides, runCommand, unfiled);
    const opened = await openStack(folder, bench);
    const { protect } = safetyRules(folder);
    await requireUnprotected({ name: folder.stack, stack: opened, protect }, 'taken down', phase);
    await mendState(folder, bench, opened, phase);
    const answers = await revive(folder, bench, phase);
    if (!answers) phase.line('the cluster is gone: forgetting what was in it');
    const stack = await openStack(folder, answers ? bench : forgettingUnreachable(bench));
    const result = await runEngine(folder, stack, 'destroy', {
      phase,
      signal,
      ...(options.verbose ? { onOutput: (text) => print(text.trimEnd()) } : {}),
    });
    phase.line(describeChanges(result.changes, 'done'));
    await stack.workspace.removeStack(folder.stack);
  });
}

/** In the lab everything a stack made ends with the lab, unless it took an existing cluster that is elsewhere. */
function tolerate(context: CommandContext, { force }: DownOptions, error: unknown): void {
  const { folder, signal, env, warn } = context;
  if (signal.aborted || error instanceof ProtectedError) throw error;
  const isInLab =
    chooseWorkbench(env) === 'lab' &&
    stateResources(folder).some(({ type }) => type === 'docker:index/container:Container') &&
    otherStacks(context.projectDir, folder.stack).length === 0;
  if (!force && !isInLab)
    throw new UserError(`${messageOf(error)}\n  npm run down -- --force forgets the stack anyway`, {
      cause: error,
    });
  warn(`warning: ${messageOf(error)}`);
  warn(
    isInLab
      ? 'warning: the rest of the stack ends with the lab'
      : `warning: forgetting stack ${folder.stack} with ${stateResources(folder).length} resources that may still exist`,
  );
}

const hasState = (folder: StackFolder) =>
  existsSync(folder.root) && readdirSync(folder.root).some((name) => !KEPT.has(name));

/** Removes all of a stack's folder but what is kept and the lock of this run. */
function forget(folder: StackFolder): void {
  for (const name of readdirSync(folder.root))
    if (!KEPT.has(name) && join(folder.root, name) !== folder.runLock)
      rmSync(join(folder.root, name), { recursive: true, force: true });
}

/** Other stacks of this project that are up. */
function otherStacks(projectDir: string, stack: string): string[] {
  return readdirSync(join(projectDir, '.berth'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'lab' && entry.name !== stack)
    .map(({ name }) => name)
    .filter((name) => stateResources(stackFolder(projectDir, name)).length > 0);
}

function removeIfEmpty(dir: string): void {
  if (existsSync(dir) && readdirSync(dir).length === 0) rmdirSync(dir);
}
