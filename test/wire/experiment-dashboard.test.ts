import assert from 'node:assert/strict';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseEstateConfig } from '../../components/config';
import { Prometheus } from '../../components/platform/prometheus';
import { ExperimentWorkload } from '../../components/workloads/experiment';
import { DASHBOARD_QUERIES } from '../../runtime/experiment-report/dashboard';
import { DASHBOARD_OBJECTS, EXPERIMENT_NAMESPACE, WORKLOADS } from '../../runtime/experiment/names';
import type { KubeApi } from '../../runtime/shared/kubernetes/api';
import { ensurePrograms } from '../lab/programs';
import { consoleReporter } from '../lab/report';
import { record } from '../program/support/record';
import { accountKubeconfig, createObjects, objectsOf } from './support/chart-objects';
import { startControlPlane, type ControlPlane } from './support/control-plane';
import { apiOf, createNamespace, eventually } from './support/kube';
import { labChart } from './support/lab-chart';
import { freePorts, Processes } from './support/processes';
import { startPrometheus, type PrometheusServer } from './support/prometheus';

const CHART = path.join(__dirname, '..', 'lab', 'charts', 'kube-prometheus-stack');
const MONITORING = 'monitoring';
const NAME = 'stack-kube-state-metrics';
const DESIRED = 3;
const RUNNING = 2;

describe("the experiment's dashboard, from a real kube-state-metrics and Prometheus", function () {
  this.timeout(1_800_000);
  const chart = labChart(
    (folder) => cp(CHART, folder, { recursive: true }),
    ({ prometheus }) =>
      new Prometheus(
        'prometheus',
        { prometheus, nodeCgroups: true, clusterObjects: DASHBOARD_OBJECTS },
        {},
      ),
  );
  let folder: string;
  let plane: ControlPlane;
  let api: KubeApi;
  let account: KubeApi;
  let processes: Processes;
  let prometheus: PrometheusServer;

  before(async function () {
    // What the cache lacks is built first.
    this.timeout(3_600_000);
    const programs = await ensurePrograms(['kube-state-metrics'], consoleReporter());
    folder = await mkdtemp(path.join(tmpdir(), 'berth-dashboard-'));
    processes = new Processes(folder);
    plane = await startControlPlane();
    api = await apiOf(plane.kubeconfig);
    await declareWorkloads(api);
    const objects = objectsOf(await render());
    await createObjects(api, MONITORING, objects);
    const text = await accountKubeconfig(plane, api, { namespace: MONITORING, name: NAME }, [
      '/api/v1/pods',
    ]);
    account = await apiOf(text);
    const kubeconfig = path.join(folder, 'kubeconfig');
    await writeFile(kubeconfig, text, { mode: 0o600 });
    const deployment = objects.find((one) => one.kind === 'Deployment');
    const args = deployment?.spec?.template?.spec.containers[0]?.args ?? [];
    const [metrics = 0, telemetry = 0] = await freePorts(2);
    processes.start('kube-state-metrics', programs['kube-state-metrics'], [
      // As in its pod, but for where it listens and whom it asks.
      ...args.filter((arg) => !arg.startsWith('--port=')),
      ...[`--kubeconfig=${kubeconfig}`, '--host=127.0.0.1', '--telemetry-host=127.0.0.1'],
      ...[`--port=${metrics}`, `--telemetry-port=${telemetry}`],
    ]);
    prometheus = await startPrometheus(`127.0.0.1:${metrics}`);
  });
  after(async () => {
    await prometheus?.stop();
    await processes?.stop();
    await Promise.all([api?.close(), account?.close()]);
    await plane?.stop();
    await rm(folder, { recursive: true, force: true });
  });
  const render = async () =>
    (await chart.helm('template', 'stack', '--namespace', MONITORING)).stdout;

  for (const [index, expected] of [RUNNING, DESIRED].entries())
    it(`answers the query "${DASHBOARD_QUERIES[index]?.title}"`, async () => {
      const query = new URLSearchParams({ query: DASHBOARD_QUERIES[index]?.expr ?? '' });
      const values = await eventually('the metrics come', async () => {
        const response = await fetch(`${prometheus.url}/api/v1/query?${query}`);
        const { data } = (await response.json()) as {
          data: { result: { value: [number, string] }[] };
        };
        return data.result.length > 0 && data.result.map(({ value }) => Number(value[1]));
      });
      assert.deepEqual(values, [expected]);
    });

  it('lets kube-state-metrics list what the dashboard shows, and nothing else', async () => {
    const list = (kind: string) => account.request({ method: 'GET', path: kind });
    await list('/apis/autoscaling/v2/horizontalpodautoscalers');
    for (const kind of ['secrets', 'configmaps', 'nodes'])
      await assert.rejects(list(`/api/v1/${kind}`), /forbidden/, kind);
    await assert.rejects(
      account.request({ method: 'DELETE', path: `/api/v1/namespaces/default/pods/any` }),
      /forbidden/,
    );
  });

  it('has no kube-state-metrics where nobody asks for it, and a chart without faults', async () => {
    assert.match((await chart.helm('lint', '--strict')).stdout, /0 chart\(s\) failed/);
    assert.match(await render(), new RegExp(NAME));
    chart.values['kubeStateMetrics'] = { enabled: false };
    assert.doesNotMatch(await render(), new RegExp(NAME));
  });
});

/** Makes the autoscaler `wl-hpa`, which wants pods, and pods of `wl-container` and of another, of which some run. */
async function declareWorkloads(api: KubeApi): Promise<void> {
  const { experiment: settings } = parseEstateConfig({
    values: { nodes: [{ name: 'node-1' }] },
    keys: [],
    secrets: new Set(['clusterToken']),
  }).systems;
  const [names] = WORKLOADS;
  assert.ok(names);
  const namespace = EXPERIMENT_NAMESPACE;
  const { declared } = await record(
    () =>
      new ExperimentWorkload(
        names.deployment,
        { names, namespace, image: 'none', imagePullSecrets: [], settings },
        {},
      ),
  );
  const inputs = (kind: string) => declared.find(({ type }) => type.endsWith(`:${kind}`))?.inputs;
  await createNamespace(api, namespace);
  const autoscalers = `/apis/autoscaling/v2/namespaces/${namespace}/horizontalpodautoscalers`;
  await api.request({
    method: 'POST',
    path: autoscalers,
    body: inputs('HorizontalPodAutoscaler') ?? {},
  });
  await api.request({
    method: 'PATCH',
    path: `${autoscalers}/${names.autoscaler}/status`,
    contentType: 'application/merge-patch+json',
    body: { status: { currentReplicas: RUNNING, desiredReplicas: DESIRED } },
  });
  const { template } = inputs('Deployment')?.spec as {
    template: { spec: { containers: { name: string }[] } };
  };
  const [container] = template.spec.containers;
  assert.ok(container);
  const pods = `/api/v1/namespaces/${namespace}/pods`;
  const create = async (name: string, own: { name: string }, running: boolean) => {
    const spec = { ...template.spec, containers: [own] };
    await api.request({ method: 'POST', path: pods, body: { metadata: { name }, spec } });
    if (!running) return;
    const state = { running: { startedAt: new Date().toISOString() } };
    const status = { name: own.name, image: 'none', imageID: '', ready: true, restartCount: 0 };
    await api.request({
      method: 'PATCH',
      path: `${pods}/${name}/status`,
      contentType: 'application/merge-patch+json',
      body: { status: { phase: 'Running', containerStatuses: [{ ...status, state }] } },
    });
  };
  for (let index = 0; index < RUNNING; index += 1)
    await create(`running-${index}`, container, true);
  await create('pending', container, false);
  await create('other', { ...container, name: 'other' }, true);
}
