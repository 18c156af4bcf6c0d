import type { Kube } from './kube';
import type { QueueEntry, QueueReport } from './scaled-job-rows';
import { proxiedService, proxyPath } from './service-proxy';
import type { StackOutputs } from './stack-outputs';
import { messageOf } from './user-error';

const SCALER = 'posture-external-scaler';

/** Asks the external scaler, through the API server, how the queue stands. Says so where it does not answer. */
export async function readQueue(kube: Kube, { urls }: StackOutputs): Promise<QueueReport> {
  const service = proxiedService(urls?.[SCALER] ?? '');
  if (service === undefined) return { unanswered: `the estate has no ${SCALER}` };
  try {
    const { queue } = await kube.json<{ queue?: QueueEntry[] }>(proxyPath(service, '/allowed'));
    return { queue: queue ?? [] };
  } catch (error) {
    return { unanswered: `${SCALER} does not answer: ${messageOf(error).slice(0, 120)}` };
  }
}
