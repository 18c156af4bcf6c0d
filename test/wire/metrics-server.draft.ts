import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { KubeApi } from '../../runtime/shared/kubernetes/api';
import { parseQuantity } from '../../runtime/shared/quantity';
import { apiOf, eventually } from './support/kube';
import { startLabCluster, type LabCluster } from './support/lab-cluster';
import { installMetricsServer } from './support/releases';

const LIMIT_MS = 300_000;
/** CPU that the busy pod may use: its usage can only come near it. */
const BUSY_LIMIT = 0.2;

describe('metrics-server on a real node', function () {
  this.timeout(1_200_000);
  let folder: string;
  let cluster: LabCluster | undefined;
  let api: KubeApi;

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'berth-metrics-server-'));
    cluster = await startLabCluster([
      ...['pause', 'coredns/coredns', 'library/eclipse-mosquitto'],
      'metrics-server/metrics-server',
    ]);
    api = await apiOf(cluster.kubeconfig);
    await installMetricsServer(cluster.kubeconfigPath, folder);
    await startPod('busy', 'while :; do :; done');
    await startPod('idle', 'sleep 100000');
  });
  after(async () => {
    await api?.close();
    await cluster?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** A pod of the node's base system, which has a shell. */
  const startPod = (name: string, script: string) =>
    api.request({
      method: 'POST',
      path: '/api/v1/namespaces/default/pods',
      body: {
        metadata: { name },
        spec: {
          terminationGracePeriodSeconds: 0,
          containers: [
            {
              name,
              image: 'eclipse-mosquitto:2',
              command: ['sh', '-c', script],
              resources: { limits: { cpu: String(BUSY_LIMIT), memory: '64Mi' } },
            },
          ],
        },
      },
    });

  it('tells the CPU of each pod as the kubelet measures it, and so can an autoscaler', async () => {
    const cpuOf = async (pod: string) => {
      const { containers } = await api.request<{ containers: { usage: { cpu: string } }[] }>({
        method: 'GET',
        path: `/apis/metrics.k8s.io/v1beta1/namespaces/default/pods/${pod}`,
      });
      return containers.reduce((sum, { usage }) => sum + parseQuantity(usage.cpu), 0);
    };
    const busy = await eventually(
      'the busy pod is seen to be busy',
      async () => {
        const cpu = await cpuOf('busy');
        return cpu > BUSY_LIMIT / 10 && cpu;
      },
      LIMIT_MS,
    );
    const idle = await cpuOf('idle');
    assert.ok(busy <= BUSY_LIMIT * 1.5, `busy: ${busy} of ${BUSY_LIMIT}`);
    assert.ok(idle < busy / 2, `idle: ${idle}, busy: ${busy}`);
  });

  it('has what the kubelet itself serves', async () => {
    const lines: string[] = [];
    const signal = AbortSignal.timeout(LIMIT_MS);
    const path = '/api/v1/nodes/server/proxy/metrics/resource';
    for await (const line of api.lines({ method: 'GET', path, signal })) lines.push(line);
    const of = (pod: string) =>
      lines.find(
        (line) =>
          line.startsWith('container_cpu_usage_seconds_total{') && line.includes(`pod="${pod}"`),
      );
    assert.ok(of('busy'), lines.join('\n'));
    assert.ok(of('idle'), lines.join('\n'));
  });
});
