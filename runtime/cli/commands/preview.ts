import type { CommandContext, CommonOptions } from '../command-context';
import { openStack, runEngine, type EngineResult } from '../engine';
import { describeChanges } from '../engine-events';
import { mendLocks } from '../mend-state';
import { previewMarkdown } from '../preview-report/markdown';
import { previewSteps } from '../preview-steps';
import { previewLines } from '../preview-text';
import { prepareStack } from '../project';
import { runCommand } from '../run-command';
import { holdStack } from '../run-lock';
import { reportOf, safetyRules } from '../safety';
import { requireStackConfig } from '../stack-folder';
import { openWorkbench } from '../workbench';

/** `npm run preview`: what `up` would change, without changing anything. */
export async function preview(context: CommandContext, options: CommonOptions): Promise<number> {
  const { folder, print } = context;
  const result = await dryRun(context, 'preview');
  if (options.markdown) {
    const rules = safetyRules(folder);
    const report = reportOf(result.events, rules);
    const { safety } = rules;
    print(previewMarkdown(report, { stack: folder.stack, safety }).trimEnd());
    return 0;
  }
  const steps = previewSteps(result.events);
  if (options.json) {
    print(JSON.stringify({ steps, changes: result.changes }, null, 2));
    return 0;
  }
  print('');
  if (options.verbose) print(result.text.trimEnd());
  else for (const line of previewLines(steps)) print(line);
  for (const warning of result.warnings) print(`warning: ${warning}`);
  print(describeChanges(result.changes, 'planned'));
  return 0;
}

/** Lets the engine say what it would do, and changes nothing. */
export async function dryRun(
  { projectDir, folder, env, progress, signal }: CommandContext,
  command: 'preview' | 'drift',
): Promise<EngineResult> {
  requireStackConfig(projectDir, folder.stack);
  const release = holdStack(folder, command);
  try {
    const bench = await progress.phase('Lab', (phase) => openWorkbench(folder, env, phase));
    signal.throwIfAborted();
    const title = command === 'preview' ? 'Preview' : 'Drift';
    return await progress.phase(`${title} of ${folder.stack}`, async (phase) => {
      mendLocks(folder, phase);
      await prepareStack(folder, bench, bench.overrides, runCommand);
      const stack = await openStack(folder, bench);
      return runEngine(folder, stack, command, { phase, signal });
    });
  } finally {
    release();
  }
}
