import type { V1Job, V1Pod } from '@kubernetes/client-node';
import { lastLines } from './results';

/** How many of a pod's last log lines an explanation holds. */
const LOG_LINES = 10;

/**
 * Why a job has failed or not ended: what its conditions and its pod say, and the last the pod logged.
 * @param log what the pod's container logged; may be empty.
 */
export function explainJob(
  name: string,
  job: V1Job | undefined,
  pod: V1Pod | undefined,
  log: string,
): string[] {
  const lines = job === undefined ? ['there is no such job in the cluster'] : [];
  for (const { type, status, reason, message } of job?.status?.conditions ?? [])
    if (type === 'Failed' && status === 'True') lines.push(joined(reason, message));
  if (job !== undefined && pod === undefined) lines.push('it has no pod');
  for (const { type, status, reason, message } of pod?.status?.conditions ?? [])
    if (type === 'PodScheduled' && status === 'False') lines.push(joined(reason, message));
  const { initContainerStatuses = [], containerStatuses = [] } = pod?.status ?? {};
  for (const container of [...initContainerStatuses, ...containerStatuses]) {
    const { waiting, terminated } = container.state ?? {};
    if (waiting) lines.push(`${container.name}: ${joined(waiting.reason, waiting.message)}`);
    if (terminated && terminated.exitCode !== 0)
      lines.push(
        `${container.name}: ${joined(terminated.reason, terminated.message)} (code ${terminated.exitCode})`,
      );
  }
  const logged = lastLines(log, LOG_LINES).map((line) => `| ${line}`);
  const where = pod?.spec?.nodeName ? ` (pod ${pod.metadata?.name} on ${pod.spec.nodeName})` : '';
  return [`${name}${where}:`, ...[...lines, ...logged].map((line) => `  ${line}`)];
}

const joined = (reason = '', message = '') => [reason, message].filter(Boolean).join(': ');
