import { createHash } from 'node:crypto';
import * as kubernetes from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import type { EventScalingConfig } from '../config-schema';
import { ANALYZER_LABELS, queuedAffinity, queuedAnalyzerName } from '../plan';
import {
  analyzerEnv,
  analyzerJobSpec,
  analyzerPod,
  databasePasswordEnv,
  type AnalyzersArgs,
} from './analyzer-pod';

export interface QueuedAnalyzersArgs extends AnalyzersArgs {
  readonly settings: EventScalingConfig;
}

/** An analyzer that waits in the queue: its name and labels, and the Job that it runs as. */
export interface QueuedAnalyzer {
  readonly name: string;
  readonly labels: Record<string, string>;
  readonly jobSpec: kubernetes.types.input.batch.v1.JobSpec;
}

/**
 * The ten analyzers of the queue. Their settings are one ConfigMap and their password one Secret, to which the pods
 * refer; the pods carry a digest of the settings, so that changed settings are a changed workload.
 */
export function queuedAnalyzers(
  name: string,
  args: QueuedAnalyzersArgs,
  parent: pulumi.Resource,
): QueuedAnalyzer[] {
  const secrets = databasePasswordEnv(name, args, parent);
  const data = Object.fromEntries(analyzerEnv(args).map(({ name: key, value }) => [key, value]));
  const config = new kubernetes.core.v1.ConfigMap(
    `${name}-settings`,
    { metadata: { name: `${name}-settings`, namespace: args.namespace }, data },
    { parent },
  );
  const digest = createHash('sha256').update(JSON.stringify(data)).digest('hex').slice(0, 16);
  return Object.values(args.images).map((image, index) => {
    const queued = queuedAnalyzerName(index);
    const labels = { ...ANALYZER_LABELS, 'app.kubernetes.io/name': queued };
    return {
      name: queued,
      labels,
      jobSpec: {
        ...analyzerJobSpec,
        template: {
          metadata: { labels, annotations: { 'posture/settings-digest': digest } },
          spec: analyzerPod(args, {
            image,
            schedulerName: args.settings.schedulerName,
            affinity: queuedAffinity(),
            settingsFrom: config.metadata.name,
            secrets,
          }),
        },
      },
    };
  });
}
