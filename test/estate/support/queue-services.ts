import { EXTERNAL_SCALER_NAME, NODE_CONTROLLER_NAME } from '../../../components/plan';
import type { EstateCluster } from './cluster';
import { POSTURE } from './scaled-jobs';

/** What the external scaler answers under /eligible, as far as the tests read it. */
export interface Eligible {
  readonly source: 'controller' | 'own';
  readonly nodes: readonly {
    readonly node: string;
    readonly allowed: boolean;
    readonly rule?: string;
    readonly slot: number | null;
    readonly cpuRatio: number | null;
  }[];
}

/** What the external scaler answers under /allowed, as far as the tests read it. */
export interface Allowed {
  readonly freeBerths: number;
  readonly queue: readonly {
    readonly scaledJob: string;
    readonly state: string;
    readonly position: number | null;
    readonly why: string;
  }[];
}

const scaler = async <T>(cluster: EstateCluster, path: string): Promise<T> =>
  JSON.parse(await cluster.service(POSTURE, EXTERNAL_SCALER_NAME, 8088, path)) as T;

export const eligible = (cluster: EstateCluster) => scaler<Eligible>(cluster, '/eligible');
export const allowed = (cluster: EstateCluster) => scaler<Allowed>(cluster, '/allowed');

/** The gauge of the node controller. */
export async function availableNodeCount(cluster: EstateCluster): Promise<number | undefined> {
  const metrics = await cluster.service(POSTURE, NODE_CONTROLLER_NAME, 8090, '/metrics');
  const value = /^available_node_count_30s (\S+)$/m.exec(metrics)?.[1];
  return value === undefined ? undefined : Number(value);
}

/** Ranks that nodes are labelled with, by name. */
export async function ranks(cluster: EstateCluster): Promise<Map<string, string>> {
  const { items } = await cluster.core.listNode();
  return new Map(
    items.flatMap(({ metadata }) => {
      const rank = metadata?.labels?.['posture/rank'];
      return rank === undefined ? [] : [[metadata?.name ?? '', rank] as const];
    }),
  );
}
