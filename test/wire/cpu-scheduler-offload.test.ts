import assert from 'node:assert/strict';
import { cpuSchedulerRbac } from '../../runtime/cpu-scheduler/rbac';
import type { KubeApi } from '../../runtime/shared/kubernetes/api';
import type { Lease } from '../../runtime/shared/kubernetes/types';
import { startControlPlane, type ControlPlane } from './support/control-plane';
import { FakePrometheus } from './support/fake-prometheus';
import {
  apiOf,
  createNamespace,
  createNode,
  createPod,
  eventually,
  getPod,
  listEvents,
  listPods,
} from './support/kube';
import { SchedulerProcess } from './support/scheduler-process';
import { kubeconfigOf } from './support/service-account';

/** An owner as the Job controller would set it; no controller runs, so the Job itself need not exist. */
const ofJob = (name: string, labels: object = {}) => ({
  labels,
  ownerReferences: [
    {
      apiVersion: 'batch/v1',
      kind: 'Job',
      name,
      uid: `00000000-0000-0000-0000-${name.padStart(12, '0')}`,
      controller: true,
    },
  ],
});

describe('cpu-scheduler offloads a hot node', function () {
  this.timeout(1_800_000);
  let plane: ControlPlane;
  let api: KubeApi;
  let prometheus: FakePrometheus;
  let scheduler: SchedulerProcess;
  /** Of an account that may do exactly what the scheduler's table of permissions says. */
  let kubeconfig: string;
  const env = (): Record<string, string> => ({
    KUBECONFIG: kubeconfig,
    LEASE_NAMESPACE: 'berth-system',
    PROM_URL: prometheus.url,
    CPU_POLL_INTERVAL_MS: '1500',
    // On a busy machine the first reading takes its time, and without it pods go elsewhere.
    FIRST_READING_WAIT_MS: '600000',
    PLACEMENT_SETTLE_MS: '0',
    OFFLOAD_INTERVAL_MS: '1000',
    OFFLOAD_MIN_AGE_MS: '1000',
    LEASE_DURATION_MS: '20000',
    LEASE_RENEW_DEADLINE_MS: '15000',
    LEASE_RETRY_MS: '500',
  });

  /** Places a pod and says it has run for a while, as a kubelet would. */
  async function run(name: string, metadata: object, ageSeconds: number): Promise<void> {
    await createPod(api, 'work', name, { cpu: '100m', metadata });
    await eventually('it is bound', async () => {
      const { spec } = await getPod(api, 'work', name);
      return spec.nodeName !== undefined;
    });
    const startedAt = new Date(Date.now() - ageSeconds * 1000).toISOString();
    await api.request({
      method: 'PATCH',
      path: `/api/v1/namespaces/work/pods/${name}/status`,
      contentType: 'application/merge-patch+json',
      body: {
        status: {
          phase: 'Running',
          startTime: startedAt,
          // A budget protects healthy pods only.
          conditions: [{ type: 'Ready', status: 'True' }],
          containerStatuses: [
            {
              ...{ name: 'main', image: 'none', imageID: '', ready: true, restartCount: 0 },
              state: { running: { startedAt } },
            },
          ],
        },
      },
    });
  }
  /** Pods in the order in which they were evicted. */
  const evicted = () =>
    scheduler.lines
      .filter(({ msg, outcome }) => msg === 'offload' && outcome === 'evicted')
      .map(({ pod }) => pod);
  const names = async () =>
    (await listPods(api, 'work'))
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .map(({ metadata }) => metadata.name)
      .sort();

  before(async function () {
    // What the cache lacks is built first.
    this.timeout(3_600_000);
    [plane, prometheus] = await Promise.all([startControlPlane(), FakePrometheus.start()]);
    api = await apiOf(plane.kubeconfig);
    kubeconfig = await kubeconfigOf(plane, api, 'berth-system', 'scheduler', cpuSchedulerRbac);
    await createNamespace(api, 'work');
    for (const name of ['cool', 'hot']) await createNode(api, { name });
    prometheus.ratios.set('hot', 0.1);
    prometheus.ratios.set('cool', 0.8);
    scheduler = await SchedulerProcess.start(env());
    await scheduler.leads();
    await run('older', ofJob('1'), 40);
    await run('no-job', {}, 10);
    await run('guarded', ofJob('2', { app: 'guarded' }), 30);
    await run('younger', ofJob('3'), 20);
    for (const name of ['older', 'no-job', 'guarded', 'younger']) {
      assert.equal((await getPod(api, 'work', name)).spec.nodeName, 'hot');
    }
    await forbidDisruption('guarded');
  });
  after(async () => {
    await scheduler?.stop();
    await prometheus?.stop();
    await api?.close();
    await plane?.stop();
  });

  async function forbidDisruption(app: string): Promise<void> {
    const path = '/apis/policy/v1/namespaces/work/poddisruptionbudgets';
    await api.request({
      method: 'POST',
      path,
      body: {
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata: { name: app },
        spec: { minAvailable: 1, selector: { matchLabels: { app } } },
      },
    });
    await api.request({
      method: 'PATCH',
      path: `${path}/${app}/status`,
      contentType: 'application/merge-patch+json',
      body: {
        status: {
          ...{ observedGeneration: 1, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 },
          disruptionsAllowed: 0,
        },
      },
    });
  }

  it('evicts the youngest pod of a Job, whose replacement goes elsewhere, and no other of that Job', async () => {
    prometheus.ratios.set('cool', 0.1);
    prometheus.ratios.set('hot', 0.95);
    await eventually('the youngest is evicted', async () => !(await names()).includes('younger'));
    // Before it is hot for two readings more, and others have their turn.
    prometheus.ratios.set('hot', 0.05);
    // The API server knows of it before the scheduler has its answer, and says so.
    const [first] = await eventually('it says so', async () => evicted().length > 0 && evicted());
    assert.equal(first, 'work/younger');
    for (const kept of ['guarded', 'no-job']) assert.ok((await names()).includes(kept), kept);
    const event = await eventually('the event', async () =>
      (await listEvents(api, 'work')).find(
        ({ reason, regarding }) => reason === 'Offloaded' && regarding.name === 'younger',
      ),
    );
    assert.match(event.note, /hot/);
    // Even when the node it left is the least busy again, the replacement stays away from it.
    await eventually('the reading is seen', async () => {
      const text = await (await fetch(`${scheduler.url}/metrics`)).text();
      return text.includes('cpu_scheduler_node_cpu_ratio{node="hot"} 0.05');
    });
    await run('younger-again', ofJob('3'), 20);
    assert.equal((await getPod(api, 'work', 'younger-again')).spec.nodeName, 'cool');
  });

  it('leaves a pod that a PodDisruptionBudget protects, and takes another', async () => {
    prometheus.ratios.set('hot', 0.95);
    await eventually('it tries', async () =>
      scheduler.lines.some((line) => line.msg === 'offload' && line['outcome'] === 'protected'),
    );
    await eventually('the other is evicted', async () => !(await names()).includes('older'));
    prometheus.ratios.set('hot', 0.1);
    const left = await names();
    assert.ok(left.includes('guarded'));
    assert.ok(left.includes('no-job'));
  });

  it('knows the evictions after a change of leader', async () => {
    const lease = await api.request<Lease>({
      method: 'GET',
      path: '/apis/coordination.k8s.io/v1/namespaces/berth-system/leases/disruptions',
    });
    assert.match(lease.metadata.annotations?.['berth.dev/evictions'] ?? '', /work\/younger/);
    scheduler.signal('SIGKILL');
    await scheduler.exited;
    // The replaced pod runs on the cool node, which now is the hot one: only the Job's history protects it.
    prometheus.ratios.set('hot', 0.1);
    prometheus.ratios.set('cool', 0.97);
    scheduler = await SchedulerProcess.start(env());
    await scheduler.leads();
    await createPod(api, 'work', 'third', { metadata: ofJob('3'), cpu: '10m' });
    await eventually('its node is said to have been left', async () => {
      const { body } = await scheduler.get('/explain/work/third');
      const nodes = (body['now'] as { nodes: { node: string; rejected?: { rule: string } }[] })
        .nodes;
      return nodes.find(({ node }) => node === 'hot')?.rejected?.rule === 'LeftNode';
    });
    const { queries } = prometheus;
    await eventually(
      'some readings have been looked at',
      async () => prometheus.queries > queries + 5,
    );
    assert.ok((await names()).includes('younger-again'));
  });
});
