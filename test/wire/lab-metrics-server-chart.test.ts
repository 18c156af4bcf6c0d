import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseAllDocuments } from 'yaml';
import { parseEstateConfig } from '../../components/config';
import { MetricsServer } from '../../components/platform/metrics-server';
import { writeMetricsServerChart } from '../lab/charts/metrics-server';
import { run } from '../lab/exec';
import { ensurePrograms } from '../lab/programs';
import { consoleReporter } from '../lab/report';
import { only, record } from '../program/support/record';

interface Rendered {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly containers: { image: string; args: string[]; readinessProbe: object }[];
      };
    };
  };
}

describe('lab: the official chart of metrics-server, with the values that Berth sets', function () {
  this.timeout(1_800_000);
  let folder: string;

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'berth-metrics-server-'));
    await writeMetricsServerChart(path.join(folder, 'chart'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('runs the server that the lab builds, and serves the metrics API', async () => {
    const { metricsServer } = parseEstateConfig({
      values: { nodes: [{ name: 'node-1', slot: 1 }] },
      keys: [],
      secrets: new Set(['clusterToken']),
    }).platform;
    const { declared } = await record(
      () => new MetricsServer('metrics-server', { metricsServer }, {}),
    );
    const { values } = only(declared, 'kubernetes:helm.sh/v3:Release').inputs;
    const file = path.join(folder, 'values.json');
    await writeFile(file, JSON.stringify(values));
    const { helm } = await ensurePrograms(['helm'], consoleReporter());
    const { stdout } = await run(helm, [
      ...['template', 'metrics-server', path.join(folder, 'chart')],
      ...['--namespace', 'kube-system', '--values', file],
    ]);
    const objects = parseAllDocuments(stdout).map((document) => document.toJS() as Rendered);
    const named = (kind: string) =>
      objects.filter((one) => one.kind === kind).map(({ metadata }) => metadata.name);
    assert.deepEqual(named('APIService'), ['v1beta1.metrics.k8s.io']);
    const deployment = objects.find(({ kind }) => kind === 'Deployment');
    const [container] = deployment?.spec.template.spec.containers ?? [];
    assert.equal(container?.image, 'registry.k8s.io/metrics-server/metrics-server:v0.9.0');
    // Kubelets show certificates of the cluster's own authority: nothing here is insecure.
    assert.ok(!container.args.some((arg) => arg.includes('insecure')), container.args.join(' '));
    assert.deepEqual(container.readinessProbe, {
      httpGet: { path: '/readyz', port: 'https', scheme: 'HTTPS' },
      ...{ initialDelaySeconds: 20, periodSeconds: 10, failureThreshold: 3, timeoutSeconds: 5 },
    });
  });
});
