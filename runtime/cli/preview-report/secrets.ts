import { isSecretAt } from './inputs';
import type { PlannedStep, SecretChange } from './types';

const DATA = /^(data|stringData)(\.|\[|$)/;

/** True for a property that nobody may see: what the engine marks as secret, and all that a Secret holds. */
export function isSecretPath({ old, new: next }: PlannedStep, path: string): boolean {
  if (isSecretAt(old, path) || isSecretAt(next, path)) return true;
  return (old ?? next)?.kind === 'Secret' && DATA.test(path);
}

/** Secrets that get another value. What is made, or goes, with its resource does not rotate. */
export function secretChanges(steps: readonly PlannedStep[]): SecretChange[] {
  return steps.flatMap((step) =>
    step.diffs
      .filter(({ path, kind }) => kind === 'update' && isSecretPath(step, path))
      .map(({ path }) => ({ type: step.type, name: step.name, path })),
  );
}
