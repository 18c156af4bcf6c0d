import * as kubernetes from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import { ANALYZER_LABELS, CPU_SCHEDULER_NAME, postureAffinity, postureJobName } from '../plan';
import {
  analyzerEnv,
  analyzerJobSpec,
  analyzerPod,
  databasePasswordEnv,
  type AnalyzersArgs,
} from './analyzer-pod';

/** The ten posture analyzers as Jobs that the CPU-aware scheduler places. */
export class PostureJobs extends pulumi.ComponentResource {
  constructor(name: string, args: AnalyzersArgs, options: pulumi.ComponentResourceOptions) {
    super('berth:workloads:PostureJobs', name, {}, options);
    const password = databasePasswordEnv(name, args, this);
    for (const [app, image] of Object.entries(args.images)) {
      const labels = { ...ANALYZER_LABELS, 'app.kubernetes.io/name': postureJobName(app) };
      new kubernetes.batch.v1.Job(
        postureJobName(app),
        {
          metadata: {
            name: postureJobName(app),
            namespace: args.namespace,
            labels,
            // A job runs for as long as its images take: an update does not wait for it.
            annotations: { 'pulumi.com/skipAwait': 'true' },
          },
          spec: {
            ...analyzerJobSpec,
            template: {
              metadata: { labels },
              spec: analyzerPod(args, {
                image,
                schedulerName: CPU_SCHEDULER_NAME,
                affinity: { nodeAffinity: postureAffinity(args.posture) },
                env: analyzerEnv(args),
                secrets: password,
              }),
            },
          },
        },
        { parent: this, deleteBeforeReplace: true },
      );
    }
    this.registerOutputs({});
  }
}
