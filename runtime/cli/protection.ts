import type { Stack } from '@pulumi/pulumi/automation';
import type { ProtectConfig } from '../../components/config-schema';
import type { DeploymentState, StateResource } from './pending-operations';
import type { Phase } from './progress';
import { labelOf } from './urn';
import { UserError } from './user-error';

/** Nothing was taken away, since the engine's state says that some of it may not be. */
export class ProtectedError extends UserError {
  constructor(message: string) {
    super(message);
    this.name = 'ProtectedError';
  }
}

/** The resources that the engine refuses to delete or replace. */
export const protectedResources = ({ resources = [] }: DeploymentState): StateResource[] =>
  resources.filter(({ protect }) => protect === true);

/** The deployment with nothing protected. */
export const withoutProtection = (deployment: DeploymentState): DeploymentState => ({
  ...deployment,
  resources: (deployment.resources ?? []).map((resource) => ({ ...resource, protect: false })),
});

/** True for what the engine says where it comes to delete or replace something protected. */
export const isProtection = (message: string): boolean =>
  /marked for protection|protected resource|is protected/.test(message);

/** What lets protected resources go. */
export const howToLift = (stack: string): string =>
  `to let go what is protected, with all that is in it: set berth:protect: none in Pulumi.${stack}.yaml and run this again`;

/**
 * Why a stack's resources are not taken away, and what would let them go; undefined where nothing is protected.
 * @param what was not done, such as "taken down".
 */
export function protectionProblem(
  stack: string,
  deployment: DeploymentState,
  what: string,
): string | undefined {
  const kept = protectedResources(deployment);
  if (kept.length === 0) return undefined;
  return [
    `stack ${stack}: nothing was ${what}, since these are protected:`,
    ...kept.map(({ type, urn }) => `  - ${labelOf(type, urn)}`),
    `  ${howToLift(stack)}`,
  ].join('\n');
}

/**
 * Sees to it that a stack may be taken away as a whole, before any of it is. Where the configuration says `none`, what an
 * earlier update protected is let go.
 * @throws ProtectedError naming what is protected, and how to lift that.
 */
export async function requireUnprotected(
  { name, stack, protect }: { name: string; stack: Stack; protect: ProtectConfig },
  what: string,
  phase: Phase,
): Promise<void> {
  const exported = await stack.exportStack();
  const deployment = (exported.deployment ?? {}) as DeploymentState;
  const problem = protectionProblem(name, deployment, what);
  if (problem === undefined) return;
  if (protect !== 'none') throw new ProtectedError(problem);
  await stack.importStack({ ...exported, deployment: withoutProtection(deployment) });
  phase.line('berth:protect is none: what was protected is let go');
}
