import assert from 'node:assert/strict';
import { cpuSchedulerRbac } from '../../runtime/cpu-scheduler/rbac';
import type { KubeApi } from '../../runtime/shared/kubernetes/api';
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

const PREFIX = 'cpu-scheduler.berth.dev';

describe('cpu-scheduler with a real API server', function () {
  this.timeout(1_800_000);
  let plane: ControlPlane;
  let api: KubeApi;
  let prometheus: FakePrometheus;
  let scheduler: SchedulerProcess;
  /** Of an account that may do exactly what the scheduler's table of permissions says. */
  let kubeconfig: string;

  before(async function () {
    // What the cache lacks is built first.
    this.timeout(3_600_000);
    [plane, prometheus] = await Promise.all([startControlPlane(), FakePrometheus.start()]);
    api = await apiOf(plane.kubeconfig);
    kubeconfig = await kubeconfigOf(plane, api, 'berth-system', 'scheduler', cpuSchedulerRbac);
    for (const [index, ratio] of [0.95, 0.2, 0.1, 0.1, 0.15].entries()) {
      await createNode(api, { name: `node-${index}`, ip: `10.0.0.${index + 1}` });
      prometheus.ratios.set(`node-${index}`, ratio);
    }
    scheduler = await SchedulerProcess.start({
      KUBECONFIG: kubeconfig,
      LEASE_NAMESPACE: 'berth-system',
      PROM_URL: prometheus.url,
      CPU_POLL_INTERVAL_MS: '1000',
      READING_MAX_AGE_MS: '15000',
      // On a busy machine the first reading takes its time, and without it nodes are compared by something else.
      FIRST_READING_WAIT_MS: '600000',
      // So long that nobody could wait for its end: who leads after this one was given the Lease.
      LEASE_DURATION_MS: '600000',
      LEASE_RENEW_DEADLINE_MS: '300000',
    });
    await scheduler.leads();
  });
  afterEach(function () {
    if (this.currentTest?.state !== 'failed') return;
    process.stderr.write(
      `${scheduler.lines
        .slice(-20)
        .map((line) => JSON.stringify(line))
        .join('\n')}\n`,
    );
  });
  after(async () => {
    await scheduler?.stop();
    await prometheus?.stop();
    await api?.close();
    await plane?.stop();
  });

  it('binds a pod to the least busy node, and says why on the pod, in an event and on /explain', async () => {
    await createNamespace(api, 'one');
    await createPod(api, 'one', 'first', { cpu: '100m' });
    const pod = await eventually('the pod is bound', async () => {
      const seen = await getPod(api, 'one', 'first');
      return seen.spec.nodeName !== undefined && seen;
    });
    assert.equal(pod.spec.nodeName, 'node-2');
    assert.equal(pod.metadata.annotations?.[`${PREFIX}/node-cpu-ratio`], '0.100');
    assert.equal(pod.metadata.annotations?.[`${PREFIX}/effective-cpu-ratio`], '0.100');
    assert.match(pod.metadata.annotations?.[`${PREFIX}/reading-age-ms`] ?? '', /^\d+$/);
    const event = await eventually('the event', async () =>
      (await listEvents(api, 'one')).find(({ reason }) => reason === 'Scheduled'),
    );
    assert.equal(event.note, 'Successfully assigned one/first to node-2');
    const { status, body } = await scheduler.get('/explain/one/first');
    assert.equal(status, 200);
    assert.equal(body['state'], 'bound');
    assert.equal(body['node'], 'node-2');
    assert.equal((body['nodes'] as unknown[]).length, 5);
  });

  it('spreads a burst over the nodes below the threshold, and gives none to the busy one', async () => {
    await createNamespace(api, 'burst');
    await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        createPod(api, 'burst', `pod-${index}`, { cpu: '200m' }),
      ),
    );
    const pods = await eventually('all are bound', async () => {
      const seen = await listPods(api, 'burst');
      return seen.every(({ spec }) => spec.nodeName !== undefined) && seen;
    });
    const perNode = new Map<string, number>();
    for (const { spec } of pods) {
      perNode.set(spec.nodeName ?? '', (perNode.get(spec.nodeName ?? '') ?? 0) + 1);
    }
    assert.equal(perNode.get('node-0'), undefined);
    assert.equal(perNode.size, 4);
    // 0.05 of a node each: nodes that were 0.1 apart end within one pod of level.
    for (const [name, count] of perNode) {
      const end = (prometheus.ratios.get(name) ?? 0) + count * 0.05;
      assert.ok(end > 0.575 && end < 0.725, `${name} got ${count}, which makes ${end}`);
    }
  });

  it('reports a pod that fits nowhere in the words of kube-scheduler, and binds it once it fits', async () => {
    await createNamespace(api, 'nowhere');
    await createPod(api, 'nowhere', 'big', { cpu: '6' });
    const event = await eventually('the event', async () =>
      (await listEvents(api, 'nowhere')).find(({ reason }) => reason === 'FailedScheduling'),
    );
    assert.equal(event.note, '0/5 nodes are available: 5 Insufficient cpu.');
    assert.equal(event.type, 'Warning');
    const { body } = await scheduler.get('/explain/nowhere/big');
    assert.equal(body['state'], 'pending');
    const { nodes } = body['now'] as { nodes: { rejected: { rule: string } }[] };
    assert.deepEqual(
      nodes.map(({ rejected }) => rejected.rule),
      Array(5).fill('NodeResourcesFit'),
    );
    await eventually(
      'it is tried again',
      async () => Number(await scheduler.metric('cpu_scheduler_unschedulable_total')) >= 2,
    );
    await createNode(api, { name: 'node-5', ip: '10.0.0.6', cpu: '8' });
    prometheus.ratios.set('node-5', 0.3);
    const pod = await eventually('it is bound', async () => {
      const seen = await getPod(api, 'nowhere', 'big');
      return seen.spec.nodeName !== undefined && seen;
    });
    assert.equal(pod.spec.nodeName, 'node-5');
  });

  it('never binds a pod that needs what it does not handle, and names it', async () => {
    await createNamespace(api, 'needs');
    await createPod(api, 'needs', 'claims', {
      spec: { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'none' } }] },
    });
    const event = await eventually('the event', async () =>
      (await listEvents(api, 'needs')).find(({ reason }) => reason === 'FailedScheduling'),
    );
    assert.match(event.note, /does not handle volume "data" \(persistentVolumeClaim\)/);
    assert.equal((await getPod(api, 'needs', 'claims')).spec.nodeName, undefined);
  });

  it('goes to requested CPU when Prometheus answers garbage, says so, and comes back', async () => {
    await createNamespace(api, 'fallback');
    const fallbackMetric = () => scheduler.metric('cpu_scheduler_fallback_active');
    for (const mode of ['garbage', 'nothing', 'error 500', 'empty'] as const) {
      prometheus.mode = mode;
      await eventually('it is degraded', async () => {
        const { status, body } = await scheduler.get('/readyz');
        return status === 200 && body['degraded'] === true;
      });
      const name = mode.replace(' ', '-');
      await createPod(api, 'fallback', name, { cpu: '10m' });
      const pod = await eventually('it is bound', async () => {
        const seen = await getPod(api, 'fallback', name);
        return seen.spec.nodeName !== undefined && seen;
      });
      assert.equal(pod.metadata.annotations?.[`${PREFIX}/node-cpu-ratio`], 'unknown');
      await eventually('the event', async () =>
        (await listEvents(api, 'fallback')).find(
          ({ reason, regarding }) => reason === 'CpuReadingsUnknown' && regarding.name === name,
        ),
      );
      await eventually('the metric', async () => (await fallbackMetric()) === 1);
      prometheus.mode = 'ratios';
      await eventually('it is well again', async () => {
        const { body } = await scheduler.get('/readyz');
        return body['degraded'] === false;
      });
      await eventually('the metric', async () => (await fallbackMetric()) === 0);
    }
  });

  it('may do all that it does: no event was refused, and repeated ones became a series', async () => {
    await eventually('the series', async () =>
      (await listEvents(api, 'nowhere')).some(({ series }) => (series?.count ?? 0) >= 2),
    );
    const text = await (await fetch(`${scheduler.url}/metrics`)).text();
    assert.doesNotMatch(text, /^cpu_scheduler_events_dropped_total\{/m);
  });

  it('hands the Lease over on SIGTERM, so that the next one leads before it has run out', async () => {
    const next = await SchedulerProcess.start({
      KUBECONFIG: kubeconfig,
      LEASE_NAMESPACE: 'berth-system',
      PROM_URL: prometheus.url,
      CPU_POLL_INTERVAL_MS: '1000',
    });
    const { body } = await next.get('/readyz');
    assert.equal(body['role'], 'standby');
    assert.equal(await scheduler.stop(), 0);
    scheduler = next;
    await next.leads();
    const explained = await scheduler.get('/explain/one/first');
    assert.equal(explained.body['node'], 'node-2');
    const { nodeCpuRatio } = explained.body['chosen'] as Record<string, string>;
    assert.equal(nodeCpuRatio, '0.100');
  });
});
