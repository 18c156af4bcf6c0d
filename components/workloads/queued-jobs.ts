import * as kubernetes from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import { QUEUE_LABEL } from '../plan';
import { queuedAnalyzers, type QueuedAnalyzersArgs } from './queued-analyzers';

/**
 * The ten analyzers as plain Jobs that are suspended until the node controller releases them, for clusters without
 * KEDA. Each runs once; a changed one is a new Job, which waits again.
 */
export class QueuedJobs extends pulumi.ComponentResource {
  /** Names of the Jobs. */
  readonly names: readonly string[];

  constructor(name: string, args: QueuedAnalyzersArgs, options: pulumi.ComponentResourceOptions) {
    super('berth:workloads:QueuedJobs', name, {}, options);
    const analyzers = queuedAnalyzers(name, args, this);
    for (const { name: job, labels, jobSpec } of analyzers)
      new kubernetes.batch.v1.Job(
        job,
        {
          metadata: {
            name: job,
            namespace: args.namespace,
            labels: { ...labels, [QUEUE_LABEL]: 'true' },
            // It may wait long for a node: an update does not wait for it.
            annotations: { 'pulumi.com/skipAwait': 'true' },
          },
          spec: { ...jobSpec, suspend: true },
        },
        {
          parent: this,
          deleteBeforeReplace: true,
          // The controller's to change; so no update may write to a Job, which would suspend it once more.
          ignoreChanges: ['spec.suspend'],
          replaceOnChanges: ['*'],
        },
      );
    this.names = analyzers.map((analyzer) => analyzer.name);
    this.registerOutputs({});
  }
}
