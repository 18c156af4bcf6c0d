import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseEstateConfig } from '../../../components/config';
import { MetricsServer } from '../../../components/platform/metrics-server';
import { Prometheus } from '../../../components/platform/prometheus';
import { writeMetricsServerChart } from '../../lab/charts/metrics-server';
import { run } from '../../lab/exec';
import { ensurePrograms } from '../../lab/programs';
import { consoleReporter } from '../../lab/report';
import { only, record } from '../../program/support/record';

const platform = () =>
  parseEstateConfig({
    values: { nodes: [{ name: 'node-1', slot: 1 }] },
    keys: [],
    secrets: new Set(['clusterToken']),
  }).platform;

/** Installs metrics-server with the values that Berth sets, and waits until it is ready. */
export async function installMetricsServer(kubeconfigPath: string, folder: string): Promise<void> {
  const chart = path.join(folder, 'metrics-server-chart');
  await writeMetricsServerChart(chart);
  const { metricsServer } = platform();
  await install(kubeconfigPath, folder, chart, () => {
    new MetricsServer('metrics-server', { metricsServer }, {});
  });
}

/**
 * Installs the lab's Prometheus in the same way. Gives its URL inside the cluster.
 * @param clusterObjects what kube-state-metrics tells of, if there is to be one.
 */
export async function installPrometheus(
  kubeconfigPath: string,
  folder: string,
  clusterObjects: readonly string[] = [],
): Promise<string> {
  const { prometheus } = platform();
  const chart = path.join(__dirname, '../../lab/charts/kube-prometheus-stack');
  await install(kubeconfigPath, folder, chart, () => {
    new Prometheus('prometheus', { prometheus, nodeCgroups: true, clusterObjects }, {});
  });
  return `http://${prometheus.release}-prometheus.${prometheus.namespace}.svc:9090`;
}

async function install(
  kubeconfigPath: string,
  folder: string,
  chart: string,
  declare: () => void,
): Promise<void> {
  const { declared } = await record(declare);
  const { inputs } = only(declared, 'kubernetes:helm.sh/v3:Release');
  const name = String(inputs.name);
  const file = path.join(folder, `${name}-values.json`);
  await writeFile(file, JSON.stringify(inputs.values));
  const { helm } = await ensurePrograms(['helm'], consoleReporter());
  await run(
    helm,
    [
      ...['install', name, chart, '--namespace', String(inputs.namespace), '--create-namespace'],
      ...['--values', file, '--wait', '--timeout', '10m'],
    ],
    { env: { KUBECONFIG: kubeconfigPath } },
  );
}
