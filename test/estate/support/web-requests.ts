import type { EstateCluster } from './cluster';

const METRICS_PORT = 9100;
const LINE = /^traefik_entrypoint_requests_total\{[^}]*entrypoint="web"[^}]*\} (\S+)$/gm;

/** Requests that came in at each node's Traefik since it started. */
export async function webRequests(cluster: EstateCluster): Promise<Map<string, number>> {
  const pods = await cluster.pods('traefik', 'app.kubernetes.io/name=traefik');
  const counts = pods.map(async (pod) => {
    const metrics = await cluster.pod(pod, METRICS_PORT, '/metrics');
    const lines = [...metrics.matchAll(LINE)].map(([, value]) => Number(value));
    return [pod.spec?.nodeName ?? '', lines.reduce((sum, value) => sum + value, 0)] as const;
  });
  return new Map(await Promise.all(counts));
}
