import type { CommandContext, CommonOptions } from '../command-context';
import { driftMarkdown, driftOf, driftSummary } from '../preview-report/drift';
import { previewLines } from '../preview-text';
import { dryRun } from './preview';

export interface DriftOptions extends CommonOptions {
  /** End with an exit code of 1 where anything was changed. */
  readonly check?: boolean;
}

/** `npm run drift`: what was changed by hand since the last `up`. Changes nothing, neither there nor in the state. */
export async function drift(context: CommandContext, options: DriftOptions): Promise<number> {
  const { folder, print } = context;
  const { events } = await dryRun(context, 'drift');
  const drifted = driftOf(events);
  const steps = drifted.map(({ step: { op, urn, type, diffs } }) => ({
    op: op === 'delete' ? ('delete' as const) : ('update' as const),
    urn,
    type,
    diffs,
  }));
  if (options.json) print(JSON.stringify({ drift: steps }, null, 2));
  else if (options.markdown) print(driftMarkdown(drifted, folder.stack).trimEnd());
  else {
    print('');
    for (const line of previewLines(steps)) print(line);
    print(driftSummary(drifted));
  }
  return options.check && drifted.length > 0 ? 1 : 0;
}
