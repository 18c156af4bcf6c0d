import { existsSync } from 'node:fs';
import { readAutoscaler } from '../autoscaler-report';
import { readCluster } from '../cluster-objects';
import type { CommandContext, CommonOptions } from '../command-context';
import { openKube } from '../kube';
import { readLatency } from '../latency-report';
import { readNodeCpu } from '../node-cpu';
import { readQueue } from '../queue-report';
import { proxiedService } from '../service-proxy';
import { keptOutputs } from '../stack-outputs';
import { statusOf } from '../status-shape';
import { statusTables } from '../tables';
import { UserError } from '../user-error';

/** `npm run status`: nodes, jobs, ScaledJobs, latency-aware scheduling, the autoscaler's workers and services as the cluster knows them now. Needs no engine and no lab. */
export async function status(context: CommandContext, options: CommonOptions): Promise<number> {
  const { folder, print } = context;
  if (!existsSync(folder.kubeconfig))
    throw new UserError(`stack ${folder.stack} is not up: npm run up -- -s ${folder.stack}`);
  const kube = await openKube(folder.kubeconfig);
  const outputs = keptOutputs(folder);
  const { urls, cpuQuery } = outputs;
  const cluster = await readCluster(kube);
  const prometheus = proxiedService(urls?.prometheus ?? '');
  const cpu =
    prometheus && cpuQuery
      ? await readNodeCpu(kube, prometheus, cpuQuery, cluster.nodes)
      : new Map<string, number>();
  const queue = cluster.scaledJobs.length > 0 ? await readQueue(kube, outputs) : { queue: [] };
  const [latency, autoscaling] = await Promise.all([
    readLatency(kube, outputs),
    readAutoscaler(kube, outputs),
  ]);
  const shaped = statusOf(cluster, cpu, queue, { latency, autoscaling });
  print(options.json ? JSON.stringify(shaped, null, 2) : statusTables(shaped));
  return 0;
}
