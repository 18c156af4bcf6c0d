import type { EngineEvent } from '@pulumi/pulumi/automation';
import type { z } from 'zod';
import { ConfigError } from '../../components/config';
import { estateSchemas, type ProtectConfig } from '../../components/config-schema';
import { stackFileValues, withInherited } from '../../components/inheritance';
import { approvalKey, isApproved, type Safety } from './preview-report/approval';
import { previewReport } from './preview-report/report';
import type { DisruptionBudget, PreviewReport } from './preview-report/types';
import type { StackFolder } from './stack-folder';
import { messageOf, UserError } from './user-error';

/** What a stack's configuration says of dangerous changes. */
export interface SafetyRules {
  readonly safety: Safety;
  readonly budget: DisruptionBudget;
  readonly protect: ProtectConfig;
}

/**
 * Reads them from the project's own files, and so before the engine runs.
 * @throws UserError where they are not valid.
 */
export function safetyRules({ projectDir, stack }: StackFolder): SafetyRules {
  const read = (name: string) => stackFileValues(projectDir, name);
  try {
    const values = withInherited(read(stack) ?? {}, read);
    return {
      safety: checked(estateSchemas.safety.safeParse(values.safety), 'safety'),
      protect: checked(estateSchemas.protect.safeParse(values.protect), 'protect'),
      budget: checked(
        estateSchemas.disruptionBudget.safeParse(values.disruptionBudget),
        'disruptionBudget',
      ),
    };
  } catch (error) {
    throw new UserError(`stack ${stack}: ${messageOf(error)}`, { cause: error });
  }
}

function checked<T>(result: z.ZodSafeParseResult<T>, key: string): T {
  if (result.success) return result.data;
  const issues = result.error.issues.map(
    ({ path, message }) => `berth:${[key, ...path].join('.')}: ${message}`,
  );
  throw new ConfigError(issues);
}

/** The report of a preview, by a stack's own rules. */
export const reportOf = (
  events: readonly EngineEvent[],
  { budget }: Pick<SafetyRules, 'budget'>,
): PreviewReport => previewReport(events, budget);

/**
 * Refuses an update whose preview has dangers that nobody approved.
 * @param key what the user gave with `--approve`.
 * @throws UserError naming each danger and the key that would approve them.
 */
export function requireApproval(
  report: PreviewReport,
  { safety }: Pick<SafetyRules, 'safety'>,
  key = '',
): void {
  if (isApproved(report.dangers, safety, key)) return;
  const wrong = key === '' ? '' : `\n  --approve ${key} is the key of another change`;
  throw new UserError(
    'berth:safety is strict, and this update\n' +
      report.dangers.map(({ text }) => `  - ${text}`).join('\n') +
      `${wrong}\n  nothing was changed; npm run preview shows all of it\n` +
      `  to do it all the same: --approve ${approvalKey(report.dangers)}`,
  );
}
