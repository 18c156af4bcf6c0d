import assert from 'node:assert/strict';
import { addClusterMetrics } from '../../../runtime/autoscaler/cluster-metrics';
import { createMetrics } from '../../../runtime/shared/metrics';
import { bound, NOW_MS, settings, snapshot, waiting, worker } from './support';

const textOf = async (seen: () => ReturnType<typeof snapshot>): Promise<() => Promise<string>> => {
  const metrics = createMetrics('autoscaler', { processMetrics: false });
  addClusterMetrics(metrics, { settings: settings(), observe: seen, nowMs: () => NOW_MS });
  return () => metrics.registry.metrics();
};

describe('autoscaler: metrics of the cluster', () => {
  it('tell of each worker what decisions rest on', async () => {
    const seen = snapshot({
      workers: [1, worker(2, { ready: false })],
      pods: [bound('a', 1, { cpu: '500m' })],
      pending: [waiting()],
      cpu: 0.25,
    });
    const text = await (await textOf(() => seen))();
    for (const line of [
      'autoscaler_node_ready{node="k3s-worker-1"} 1',
      'autoscaler_node_ready{node="k3s-worker-2"} 0',
      'autoscaler_node_cpu_usage_ratio{node="k3s-worker-1"} 0.25',
      'autoscaler_node_cpu_allocatable_cores{node="k3s-worker-1"} 4',
      'autoscaler_node_cpu_requested_cores{node="k3s-worker-1"} 0.5',
      'autoscaler_node_memory_allocatable_bytes{node="k3s-worker-1"} 8589934592',
      'autoscaler_node_pods{node="k3s-worker-1"} 1',
      'autoscaler_node_pods_allocatable{node="k3s-worker-2"} 110',
      'autoscaler_unschedulable_pods 1',
      'autoscaler_min_nodes 2',
      'autoscaler_max_nodes 6',
    ])
      assert.ok(text.split('\n').includes(line), `${line}\n${text}`);
  });

  it('have no usage of what is not known, nothing of the control plane, and nothing of nodes that went', async () => {
    let seen = snapshot({ workers: [1], cpu: null });
    const server = worker(9, { labels: { 'node-role.kubernetes.io/control-plane': 'true' } });
    const read = await textOf(() => seen);
    const first = await read();
    assert.ok(first.includes('autoscaler_node_memory_usage_ratio{node="k3s-worker-1"} 0.1'));
    assert.ok(!first.includes('autoscaler_node_cpu_usage_ratio{'));
    seen = snapshot({ workers: [2, server] });
    const then = await read();
    assert.ok(then.includes('{node="k3s-worker-2"}'));
    assert.ok(!/k3s-worker-[19]/.test(then));
  });
});
