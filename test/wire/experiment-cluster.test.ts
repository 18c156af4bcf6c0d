import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseEstateConfig } from '../../components/config';
import { podSecurity } from '../../components/namespaces';
import { dockerCpuQueries } from '../../components/plan';
import { ExperimentWorkload } from '../../components/workloads/experiment';
import { LoadTemplate } from '../../components/workloads/load-template';
import { commandContext } from '../../runtime/cli/command-context';
import { DASHBOARD_QUERIES } from '../../runtime/experiment-report/dashboard';
import { experiment, type ExperimentOptions } from '../../runtime/cli/commands/experiment';
import { proxiedService, proxyPath, type ProxiedService } from '../../runtime/cli/service-proxy';
import { stackFolder } from '../../runtime/cli/stack-folder';
import {
  DASHBOARD_OBJECTS,
  EXPERIMENT_NAMESPACE,
  WORKLOADS,
  WORKLOAD_PORT,
} from '../../runtime/experiment/names';
import type { KubeApi } from '../../runtime/shared/kubernetes/api';
import { record } from '../program/support/record';
import { apiOf, eventually } from './support/kube';
import { startLabCluster, type LabCluster } from './support/lab-cluster';
import { installMetricsServer, installPrometheus } from './support/releases';

const namespaced = (api: string, kind: string) =>
  `/${api}/namespaces/${EXPERIMENT_NAMESPACE}/${kind}`;
const COLLECTIONS: Readonly<Record<string, string>> = {
  'kubernetes:apps/v1:Deployment': namespaced('apis/apps/v1', 'deployments'),
  'kubernetes:core/v1:Service': namespaced('api/v1', 'services'),
  'kubernetes:batch/v1:CronJob': namespaced('apis/batch/v1', 'cronjobs'),
  'kubernetes:autoscaling/v2:HorizontalPodAutoscaler': namespaced(
    'apis/autoscaling/v2',
    'horizontalpodautoscalers',
  ),
};

const GROWTH_LIMIT_MS = 900_000;

describe('npm run experiment on a real node', function () {
  this.timeout(2_400_000);
  let project: string;
  let cluster: LabCluster | undefined;
  let api: KubeApi;
  let prometheus: ProxiedService;

  before(async () => {
    project = await mkdtemp(path.join(tmpdir(), 'berth-experiment-'));
    cluster = await startLabCluster([
      ...['pause', 'coredns/coredns', 'library/node', 'metrics-server/metrics-server'],
      ...['prometheus/prometheus', 'prometheus/node-exporter'],
      'kube-state-metrics/kube-state-metrics',
    ]);
    api = await apiOf(cluster.kubeconfig);
    await installMetricsServer(cluster.kubeconfigPath, project);
    const url = await installPrometheus(cluster.kubeconfigPath, project, DASHBOARD_OBJECTS);
    prometheus = proxiedService(url) ?? assert.fail(url);
    await declare(api, cluster);
    const folder = stackFolder(project, 'dev');
    await mkdir(folder.root, { recursive: true });
    await writeFile(folder.kubeconfig, cluster.kubeconfig);
    const { cpuQuery } = dockerCpuQueries('host');
    const outputs = { systems: ['experiment'], urls: { prometheus: url }, cpuQuery };
    await writeFile(folder.outputs, JSON.stringify(outputs));
    await eventually('the metrics API answers', () =>
      api.request({ method: 'GET', path: '/apis/metrics.k8s.io/v1beta1/nodes' }),
    );
    for (const { deployment } of WORKLOADS)
      await eventually(`${deployment} runs`, async () => {
        const path = namespaced('apis/apps/v1', `deployments/${deployment}`);
        const { status } = await api.request<{ status: { readyReplicas?: number } }>({
          ...{ method: 'GET', path },
        });
        return (status.readyReplicas ?? 0) > 0;
      });
  });
  after(async () => {
    await api?.close();
    await cluster?.stop();
    await rm(project, { recursive: true, force: true });
  });

  const run = (signal: AbortSignal, options: Partial<ExperimentOptions>) => {
    const all = { stack: 'dev', schedulers: 'default', ...options };
    return experiment(commandContext(project, { CI: 'true' }, signal, all), all);
  };
  const deployments = () =>
    Promise.all(
      WORKLOADS.map(async ({ deployment }) => {
        const { metadata, spec } = await api.request<{
          metadata: { annotations: Record<string, string> };
          spec: { template: { spec: { schedulerName: string } } };
        }>({ method: 'GET', path: namespaced('apis/apps/v1', `deployments/${deployment}`) });
        return [Object.keys(metadata.annotations), spec.template.spec.schedulerName];
      }),
    );
  const jobs = async () =>
    (
      await api.request<{ items: object[] }>({
        method: 'GET',
        path: namespaced('apis/batch/v1', 'jobs'),
      })
    ).items;

  const showsGrowth = async (query: string) => {
    const { data } = await api.request<{ data: { result: { value: [number, string] }[] } }>({
      ...{ method: 'GET', path: proxyPath(prometheus, '/api/v1/query'), query: { query } },
    });
    return data.result.some(({ value: [, value] }) => Number(value) > WORKLOADS.length);
  };
  const allShowGrowth = async () => {
    for (const { title, expr } of DASHBOARD_QUERIES)
      await eventually(`${title}: more than before`, () => showsGrowth(expr), GROWTH_LIMIT_MS);
  };

  it('makes autoscalers grow the workloads, as its dashboard shows, and undoes all when it is stopped', async () => {
    const before = await deployments();
    const stop = new AbortController();
    const out = path.join(project, 'stopped');
    // As much computing as fits: the CPU of the pods, which metrics-server measures, is what they grow by.
    const load = 'qps=10,duration=3600,prime=10000000,sleep=0,concurrency=100,timeout=120000';
    const ended = run(stop.signal, { settle: '0', load, out });
    try {
      await Promise.race([allShowGrowth(), ended]);
    } finally {
      stop.abort();
    }
    assert.equal(await ended, 130);
    assert.deepEqual(await deployments(), before);
    assert.deepEqual(await jobs(), []);
  });
});

/** Makes the namespace and the objects that the system declares. */
async function declare(api: KubeApi, cluster: LabCluster): Promise<void> {
  const { experiment: settings } = parseEstateConfig({
    values: { nodes: [{ name: 'node-1' }] },
    keys: [],
    secrets: new Set(['clusterToken']),
  }).systems;
  const image = await cluster.serviceImage('workload');
  const loadImage = await cluster.serviceImage('load-generator');
  const namespace = EXPERIMENT_NAMESPACE;
  const { declared } = await record(() => {
    for (const names of WORKLOADS)
      new ExperimentWorkload(
        names.deployment,
        { names, namespace, image, imagePullSecrets: [], settings },
        {},
      );
    new LoadTemplate(
      'load',
      {
        namespace,
        image: loadImage,
        imagePullSecrets: [],
        host: 'wl-service',
        port: WORKLOAD_PORT,
      },
      {},
    );
  });
  const body = { metadata: { name: namespace, labels: podSecurity('restricted') } };
  await api.request({ method: 'POST', path: '/api/v1/namespaces', body });
  for (const { type, inputs } of declared) {
    const path = COLLECTIONS[type];
    if (path !== undefined) await api.request({ method: 'POST', path, body: inputs });
  }
}
