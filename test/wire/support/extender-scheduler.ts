import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import {
  kubeSchedulerConfiguration,
  kubeSchedulerFlags,
  type LatencySchedulerConfig,
} from '../../../components/services/latency-scheduler-config';
import { ensurePrograms } from '../../lab/programs';
import { consoleReporter } from '../../lab/report';
import { freePorts, Processes } from './processes';

/**
 * Starts a real kube-scheduler with the configuration and the flags that the estate gives it.
 * @param change fields of the KubeSchedulerConfiguration that shall be otherwise
 */
export async function startExtenderScheduler(
  folder: string,
  config: LatencySchedulerConfig,
  change: object = {},
): Promise<Processes> {
  const { 'kube-scheduler': file } = await ensurePrograms(['kube-scheduler'], consoleReporter());
  const [port = 0] = await freePorts(1);
  const configPath = path.join(folder, 'config.json');
  await writeFile(configPath, JSON.stringify({ ...kubeSchedulerConfiguration(config), ...change }));
  const processes = new Processes(folder);
  processes.start(config.schedulerName, file, kubeSchedulerFlags(configPath, '127.0.0.1', port));
  return processes;
}
