import assert from 'node:assert/strict';
import { parseEstateConfig } from '../../components/config';
import { ExperimentWorkload } from '../../components/workloads/experiment';
import { BEFORE_ANNOTATION, KubeWorkloads } from '../../runtime/experiment/adapters/kube-workloads';
import { watchPods } from '../../runtime/experiment/adapters/kube-watch';
import { directly, readCpu } from '../../runtime/experiment/adapters/prometheus-range';
import { WORKLOADS } from '../../runtime/experiment/names';
import { systemClock } from '../../runtime/shared/clock';
import type { TimeBounds } from '../../runtime/experiment-report/types';
import type { ApiRequest, KubeApi } from '../../runtime/shared/kubernetes/api';
import { createLogger } from '../../runtime/shared/log';
import { record } from '../program/support/record';
import { startControlPlane, type ControlPlane } from './support/control-plane';
import { apiOf, createNamespace, createNode, eventually, listPods } from './support/kube';
import { FakeExporter, startPrometheus } from './support/prometheus';

const NAMESPACE = 'workload';
const CPU_QUERY = '1 - avg by (instance) (irate(node_cpu_seconds_total{mode="idle"}[1m]))';
const COLLECTIONS: Readonly<Record<string, string>> = {
  'kubernetes:apps/v1:Deployment': `/apis/apps/v1/namespaces/${NAMESPACE}/deployments`,
  'kubernetes:core/v1:Service': `/api/v1/namespaces/${NAMESPACE}/services`,
  'kubernetes:autoscaling/v2:HorizontalPodAutoscaler': `/apis/autoscaling/v2/namespaces/${NAMESPACE}/horizontalpodautoscalers`,
};

describe('the experiment on a real control plane', function () {
  this.timeout(1_800_000);
  let plane: ControlPlane;
  let api: KubeApi;
  const signal = new AbortController().signal;
  const log = createLogger('test', 'silent');

  before(async () => {
    plane = await startControlPlane({ controllerManager: true, scheduler: true, kwok: true });
    api = await apiOf(plane.kubeconfig);
    for (const name of ['node-1', 'node-2']) await createNode(api, { name });
    await createNamespace(api, NAMESPACE);
    await declareWorkloads(api);
  });
  after(async () => {
    await api?.close();
    await plane?.stop();
  });

  const deployment = (name: string) =>
    api.request<{
      metadata: { annotations?: Record<string, string> };
      spec: { replicas: number; template: { spec: { schedulerName: string } } };
    }>({ method: 'GET', path: `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/${name}` });

  it('takes all pods away, and sees by whom new ones are placed, and where', async () => {
    const workloads = new KubeWorkloads(api, systemClock);
    await workloads.remember();
    await workloads.park(signal);
    assert.deepEqual(await listPods(api, NAMESPACE), []);
    const watch = await watchPods(api, systemClock, log, signal);
    try {
      await workloads.start('default-scheduler', signal);
      await eventually('both run', async () => watch.counts().running === 2);
      const pods = await listPods(api, NAMESPACE);
      const placed = watch.placements();
      assert.deepEqual(
        placed.map(({ pod, node }) => [pod, node]).sort(),
        pods.map(({ metadata, spec }) => [metadata.name, spec.nodeName]).sort(),
      );
      assert.deepEqual(Object.keys(watch.desired()), ['wl-hpa', 'wl-hpa2']);
    } finally {
      await watch.stop();
      await workloads.restore();
    }
  });

  it('knows when pods were created and bound, as well as whoever did both', async () => {
    const pods = `/api/v1/namespaces/${NAMESPACE}/pods`;
    const timed = async (request: Omit<ApiRequest, 'method'>) => {
      const sentMs = Date.now();
      await api.request({ method: 'POST', ...request });
      return { sentMs, receivedMs: Date.now() };
    };
    const watch = await watchPods(api, systemClock, log, signal);
    try {
      const names = ['by-hand-1', 'by-hand-2', 'by-hand-3'];
      const created = new Map<string, Moment>();
      const bound = new Map<string, Moment>();
      for (const name of names) {
        const labels = { 'app.kubernetes.io/name': 'wl-deployment' };
        const spec = { schedulerName: 'by-hand', containers: [{ name: 'a', image: 'none' }] };
        created.set(name, await timed({ path: pods, body: { metadata: { name, labels }, spec } }));
        const target = { apiVersion: 'v1', kind: 'Node', name: 'node-1' };
        bound.set(
          name,
          await timed({ path: `${pods}/${name}/binding`, body: { metadata: { name }, target } }),
        );
      }
      const known = await eventually('all are placed and timed', async () => {
        const placed = watch.placements().filter(({ pod }) => names.includes(pod));
        return placed.filter((one) => one.created && one.bound).length === names.length && placed;
      });
      for (const { pod, ...placed } of known) {
        assertMeets(placed.created, created.get(pod));
        assertMeets(placed.bound, bound.get(pod));
      }
    } finally {
      await watch.stop();
      // All at once, since some may go by themselves meanwhile.
      await api.request({ method: 'DELETE', path: pods, query: { gracePeriodSeconds: 0 } });
    }
  });

  it('says what pods wait for when their scheduler is not there', async () => {
    const workloads = new KubeWorkloads(api, systemClock);
    await workloads.remember();
    await workloads.park(signal);
    const impatient = new KubeWorkloads(api, systemClock, 2000);
    try {
      await assert.rejects(
        impatient.start('no-such-scheduler', signal),
        /^ExperimentError: wl-deployment2? by no-such-scheduler: not within 2 s: 0 of 1 pods are ready/,
      );
    } finally {
      await workloads.restore();
    }
  });

  it('makes the workloads what they were, also after an experiment that was killed', async () => {
    const before = await Promise.all(WORKLOADS.map((one) => deployment(one.deployment)));
    const killed = new KubeWorkloads(api, systemClock);
    await killed.remember();
    await killed.park(signal);
    const next = new KubeWorkloads(api, systemClock);
    // Killed before it could restore, and the next one begins a moment later.
    await next.remember();
    for (const one of WORKLOADS)
      assert.ok((await deployment(one.deployment)).metadata.annotations?.[BEFORE_ANNOTATION]);
    await next.restore();
    for (const [index, { spec }] of before.entries()) {
      const after = await deployment(WORKLOADS[index]?.deployment ?? '');
      assert.deepEqual(
        [after.spec.replicas, after.spec.template.spec.schedulerName],
        [spec.replicas, spec.template.spec.schedulerName],
      );
      assert.equal(after.metadata.annotations?.[BEFORE_ANNOTATION], undefined);
    }
  });

  it('reads the CPU of nodes from Prometheus, and does not make up what it lacks', async () => {
    const exporter = new FakeExporter();
    exporter.ratios.set('node-1', 0.5);
    const prometheus = await startPrometheus(await exporter.start());
    try {
      const rows = await eventually('a reading of node-1', async () => {
        const toMs = Date.now();
        const span = { fromMs: toMs - 5000, toMs, stepMs: 1000 };
        const all = await readCpu(api, directly(prometheus.url), CPU_QUERY, span);
        assert.equal(all.length, 12);
        return all.some(({ cpuRatio }) => cpuRatio !== null) && all;
      });
      for (const { node, cpuRatio } of rows) if (node === 'node-2') assert.equal(cpuRatio, null);
      const broken = readCpu(api, directly(prometheus.url), 'sum(', {
        ...{ fromMs: 0, toMs: 1000, stepMs: 1000 },
      });
      await assert.rejects(broken, /answers 400/);
    } finally {
      await prometheus.stop();
      await exporter.stop();
    }
  });
});

interface Moment {
  readonly sentMs: number;
  readonly receivedMs: number;
}

/** What happened between a request and its answer lies within the bounds, as far as both can say. */
function assertMeets(bounds: TimeBounds | null, moment: Moment | undefined): void {
  assert.ok(bounds !== null && moment !== undefined);
  // The test's clock tells whole milliseconds.
  const meets =
    bounds.notBeforeMs <= moment.receivedMs + 1 && moment.sentMs - 1 <= bounds.notAfterMs;
  assert.ok(meets, JSON.stringify({ bounds, moment }));
}

/** Creates the objects that the component declares. */
async function declareWorkloads(api: KubeApi): Promise<void> {
  const { experiment } = parseEstateConfig({
    values: { nodes: [{ name: 'node-1' }] },
    keys: [],
    secrets: new Set(['clusterToken']),
  }).systems;
  const { declared } = await record(() => {
    for (const names of WORKLOADS)
      new ExperimentWorkload(
        names.deployment,
        { names, namespace: NAMESPACE, image: 'none', imagePullSecrets: [], settings: experiment },
        {},
      );
  });
  for (const { type, inputs } of declared) {
    const path = COLLECTIONS[type];
    if (path !== undefined) await api.request({ method: 'POST', path, body: inputs });
  }
}
