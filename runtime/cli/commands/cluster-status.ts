import type {
  ClusterStatus,
  Health,
  LastDecision,
  NodeAnswer,
  ReconciliationAnswer,
  WorkerAnswer,
} from '../autoscaler/answers';
import { openAutoscaler } from '../autoscaler/client';
import { clusterTables } from '../autoscaler/tables';
import type { CommandContext, CommonOptions } from '../command-context';

/** `npm run cluster:status`: how the autoscaler is, what it decided last, and its nodes. */
export async function clusterStatus(
  { folder, print }: CommandContext,
  options: CommonOptions,
): Promise<number> {
  const api = await openAutoscaler(folder);
  // It says how it is when it is not well, too.
  const health = await api.get<Health>('/health', [503]);
  const [cluster, { nodes }, { workers }, { last: reconciliation }] = await Promise.all([
    api.get<LastDecision>('/metrics'),
    api.get<{ nodes: NodeAnswer[] }>('/nodes/metrics'),
    // Redis may be away, which its health says.
    api.get<{ workers?: WorkerAnswer[] }>('/workers', [503]),
    api.get<ReconciliationAnswer>('/reconciliation/status'),
  ]);
  const status: ClusterStatus = {
    ...{ health, cluster, nodes, reconciliation },
    workers: workers ?? [],
  };
  print(options.json ? JSON.stringify(status, null, 2) : clusterTables(status));
  return 0;
}
