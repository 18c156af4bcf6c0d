import assert from 'node:assert/strict';
import { pino } from 'pino';
import { KubePods } from '../../runtime/latency-extender/adapters/kube-pods';
import { KubeProbers } from '../../runtime/latency-extender/adapters/prober-directory';
import { latencyExtenderRbac } from '../../runtime/latency-extender/rbac';
import type { BoundPod } from '../../runtime/latency-extender/ports';
import { systemClock } from '../../runtime/shared/clock';
import { KubeApi } from '../../runtime/shared/kubernetes/api';
import { loadConnection } from '../../runtime/shared/kubernetes/connection';
import { startControlPlane, type ControlPlane } from './support/control-plane';
import { apiOf, createNamespace, createNode, createPod, eventually } from './support/kube';
import { kubeconfigOf } from './support/service-account';

const LIMIT_MS = 600_000;
const LABELS = { 'app.kubernetes.io/name': 'prober' };

describe('what the latency extender follows at a real API server, with its own rights', function () {
  this.timeout(1_800_000);
  let plane: ControlPlane;
  let admin: KubeApi;
  let own: KubeApi;
  const end = new AbortController();
  let running: Promise<unknown>;
  let probers: KubeProbers;
  const bound = new Map<string, BoundPod>();

  const setRunning = (name: string, podIP: string): Promise<unknown> =>
    admin.request({
      method: 'PATCH',
      path: `/api/v1/namespaces/probers/pods/${name}/status`,
      contentType: 'application/merge-patch+json',
      body: { status: { phase: 'Running', podIP, podIPs: [{ ip: podIP }] } },
    });
  const createProber = async (name: string, nodeName: string, podIP: string): Promise<void> => {
    await createPod(admin, 'probers', name, { metadata: { labels: LABELS }, spec: { nodeName } });
    await setRunning(name, podIP);
  };
  const remove = (namespace: string, name: string): Promise<unknown> =>
    admin.request({
      method: 'DELETE',
      path: `/api/v1/namespaces/${namespace}/pods/${name}`,
      body: { gracePeriodSeconds: 0 },
    });
  const known = (expected: Record<string, string>): Promise<unknown> =>
    eventually(
      `the probers are ${JSON.stringify(expected)}`,
      async () => {
        assert.deepEqual(Object.fromEntries(probers.probers), expected);
        return true;
      },
      LIMIT_MS,
    );

  before(async () => {
    plane = await startControlPlane();
    admin = await apiOf(plane.kubeconfig);
    const file = await kubeconfigOf(plane, admin, 'berth-system', 'extender', latencyExtenderRbac);
    own = new KubeApi(await loadConnection(file), {
      timeoutMs: 30_000,
      connections: 4,
      userAgent: 'berth-test',
    });
    for (const node of ['node-1', 'node-2']) await createNode(admin, { name: node });
    for (const namespace of ['probers', 'work']) await createNamespace(admin, namespace);
    const log = pino({ level: 'silent' });
    const selector = 'app.kubernetes.io/name=prober';
    probers = new KubeProbers(own, 'probers', selector, 3000, systemClock, log);
    const pods = new KubePods(
      own,
      'latency-aware-scheduler',
      {
        bound: (pod) => bound.set(pod.name, pod),
        gone: (uid) => {
          for (const [name, pod] of bound) if (pod.uid === uid) bound.delete(name);
        },
      },
      systemClock,
      log,
    );
    running = Promise.all([probers.run(end.signal), pods.run(end.signal)]);
  });
  after(async () => {
    end.abort();
    await running;
    await own?.close();
    await admin?.close();
    await plane?.stop();
  });

  it('knows the address of the prober of each node, and takes the newer of two', async () => {
    await createProber('prober-a', 'node-1', '10.1.0.1');
    await createProber('prober-b', 'node-2', '10.1.0.2');
    await known({ 'node-1': '10.1.0.1:3000', 'node-2': '10.1.0.2:3000' });
    await createProber('prober-c', 'node-2', 'fd00::3');
    await known({ 'node-1': '10.1.0.1:3000', 'node-2': '[fd00::3]:3000' });
    await remove('probers', 'prober-c');
    await known({ 'node-1': '10.1.0.1:3000', 'node-2': '10.1.0.2:3000' });
    await remove('probers', 'prober-b');
    await known({ 'node-1': '10.1.0.1:3000' });
  });

  it('knows the pods of its scheduler that are on a node, with what they request', async () => {
    const create = (name: string, spec: object): Promise<unknown> =>
      createPod(admin, 'work', name, { cpu: '250m', spec });
    await create('waiting', { schedulerName: 'latency-aware-scheduler' });
    await create('other', { schedulerName: 'default-scheduler', nodeName: 'node-1' });
    await create('placed', { schedulerName: 'latency-aware-scheduler', nodeName: 'node-1' });
    const pod = await eventually('it is seen', async () => bound.get('placed'), LIMIT_MS);
    assert.deepEqual([pod.namespace, pod.node, pod.cpuMillis], ['work', 'node-1', 250]);
    assert.ok(pod.boundAtMs !== undefined && pod.boundAtMs > 0);
    assert.deepEqual([...bound.keys()], ['placed']);
    await remove('work', 'placed');
    await eventually('it is gone', async () => bound.size === 0, LIMIT_MS);
  });
});
