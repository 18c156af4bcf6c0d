import { existsSync } from 'node:fs';
import { openKube } from './kube';
import { startStopped } from './mend-state';
import type { Phase } from './progress';
import { waitForAnswer } from './reachable';
import type { StackFolder } from './stack-folder';
import { UserError } from './user-error';
import type { Workbench } from './workbench';

/** How long a cluster that was there may take to answer, before and after its containers were started again. */
const ANSWER_MS = 5_000;
const RESTART_MS = 60_000;

/**
 * Sees to it that the cluster of a stack answers: where it does not, as after the machine went down, its containers
 * are started again.
 * @returns false where the cluster is gone: it does not answer, and containers of it are no more.
 * @throws UserError where it does not answer although nothing of it is known to be gone: that may pass, and nothing
 * that is in it may be given up.
 */
export async function revive(
  folder: StackFolder,
  bench: Workbench,
  phase: Phase,
): Promise<boolean> {
  if (await waitForAnswer(folder.kubeconfig, ANSWER_MS)) return true;
  // Without a kubeconfig no run has come to its end yet; its containers may have stopped all the same.
  const hasCluster = existsSync(folder.kubeconfig);
  const { count, missing } = await startStopped(folder, bench);
  if (!hasCluster) return true;
  if (missing.length > 0) phase.line(`gone: container ${missing.join(', ')}`);
  else if (count > 0) phase.line('the cluster did not answer: started its containers');
  if (await waitForAnswer(folder.kubeconfig, count > 0 ? RESTART_MS : ANSWER_MS)) return true;
  if (missing.length > 0) return false;
  const { server } = await openKube(folder.kubeconfig);
  throw new UserError(`cluster at ${server} does not answer`);
}

/**
 * The same tools, for an engine that forgets what was in a cluster that it cannot reach. Not for an update: the
 * provider would take it as a setting, and the next update would take that back.
 */
export function forgettingUnreachable(bench: Workbench): Workbench {
  return { ...bench, env: { ...bench.env, PULUMI_K8S_DELETE_UNREACHABLE: 'true' } };
}
