import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ensurePrograms } from '../../lab/programs';
import { consoleReporter } from '../../lab/report';
import { freePorts, Processes } from './processes';

/** How the scheduler talks to its extender. */
export interface ExtenderOptions {
  readonly kubeconfigPath: string;
  readonly schedulerName: string;
  readonly urlPrefix: string;
  /** True sends names only. */
  readonly nodeCacheCapable: boolean;
}

/** Starts a real kube-scheduler whose only scores are the extender's. Its log is in the folder. */
export async function startExtenderScheduler(
  folder: string,
  options: ExtenderOptions,
): Promise<Processes> {
  const { 'kube-scheduler': file } = await ensurePrograms(['kube-scheduler'], consoleReporter());
  const [port] = await freePorts(1);
  const config = path.join(folder, 'scheduler.json');
  await writeFile(config, JSON.stringify(configuration(options)));
  const processes = new Processes(folder);
  processes.start('latency-aware-scheduler', file, [
    ...['--config', config, '--bind-address=127.0.0.1', `--secure-port=${port}`],
  ]);
  return processes;
}

const configuration = (options: ExtenderOptions): object => ({
  apiVersion: 'kubescheduler.config.k8s.io/v1',
  kind: 'KubeSchedulerConfiguration',
  clientConnection: { kubeconfig: options.kubeconfigPath },
  leaderElection: { leaderElect: false },
  profiles: [
    {
      schedulerName: options.schedulerName,
      plugins: { score: { disabled: [{ name: '*' }] }, preScore: { disabled: [{ name: '*' }] } },
    },
  ],
  extenders: [
    {
      urlPrefix: options.urlPrefix,
      filterVerb: 'filter',
      prioritizeVerb: 'prioritize',
      weight: 1,
      enableHTTPS: false,
      httpTimeout: '10s',
      nodeCacheCapable: options.nodeCacheCapable,
      ignorable: false,
    },
  ],
});
