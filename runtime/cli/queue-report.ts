import type { Kube } from './kube';
import { proxiedService } from './node-cpu';
import type { QueueEntry, QueueReport } from './scaled-job-rows';
import type { StackOutputs } from './stack-outputs';
import { messageOf } from './user-error';

const SCALER = 'posture-external-scaler';

/** Asks the external scaler, through the API server, how the queue stands. Says so where it does not answer. */
export async function readQueue(kube: Kube, { urls }: StackOutputs): Promise<QueueReport> {
  const service = proxiedService(urls?.[SCALER] ?? '');
  if (service === undefined) return { unanswered: `the estate has no ${SCALER}` };
  const { namespace, name, port } = service;
  try {
    const { queue } = await kube.json<{ queue?: QueueEntry[] }>(
      `/api/v1/namespaces/${namespace}/services/http:${name}:${port}/proxy/allowed`,
    );
    return { queue: queue ?? [] };
  } catch (error) {
    return { unanswered: `${SCALER} does not answer: ${messageOf(error).slice(0, 120)}` };
  }
}
