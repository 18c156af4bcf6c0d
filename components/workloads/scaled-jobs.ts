import * as kubernetes from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import type { EventScalingConfig } from '../config-schema';
import { AVAILABLE_NODES_METRIC, EXTERNAL_SCALER_ADDRESS } from '../plan';
import { queuedAnalyzers, type QueuedAnalyzersArgs } from './queued-analyzers';

const KEDA_API = 'keda.sh/v1alpha1';
/** Jobs that KEDA keeps after they have ended, so that their results can be read. */
const SUCCESSFUL_JOBS_KEPT = 3;
const FAILED_JOBS_KEPT = 5;

/**
 * The ten analyzers as ScaledJobs: KEDA asks the external scaler about each of them, and makes its Job when a node has
 * room. KEDA has to be there for as long as they are, since it holds each by a finalizer.
 */
export class ScaledJobs extends pulumi.ComponentResource {
  /** Names of the ScaledJobs. */
  readonly names: readonly string[];

  constructor(name: string, args: QueuedAnalyzersArgs, options: pulumi.ComponentResourceOptions) {
    super('berth:workloads:ScaledJobs', name, {}, options);
    const { settings, namespace } = args;
    const authentication = this.authentication(name, args);
    const analyzers = queuedAnalyzers(name, args, this);
    for (const { name: scaledJob, labels, jobSpec } of analyzers)
      new kubernetes.apiextensions.CustomResource(
        scaledJob,
        {
          apiVersion: KEDA_API,
          kind: 'ScaledJob',
          metadata: {
            name: scaledJob,
            namespace,
            labels,
            // KEDA writes the whole object to add its finalizer, and then owns what it wrote in other words.
            annotations: { 'pulumi.com/patchForce': 'true' },
          },
          spec: {
            jobTargetRef: jobSpec,
            pollingInterval: settings.pollingIntervalSeconds,
            maxReplicaCount: 1,
            successfulJobsHistoryLimit: SUCCESSFUL_JOBS_KEPT,
            failedJobsHistoryLimit: FAILED_JOBS_KEPT,
            rollout: { strategy: 'gradual' },
            triggers: [
              {
                type: 'external',
                metadata: triggerMetadata(settings),
                ...(authentication && { authenticationRef: { name: authentication } }),
              },
            ],
          },
        },
        { parent: this },
      );
    this.names = analyzers.map((analyzer) => analyzer.name);
    this.registerOutputs({});
  }

  /** Name of the certificates by which KEDA shows the scaler who it is, where TLS is on. */
  private authentication(name: string, { namespace, settings }: QueuedAnalyzersArgs) {
    if (!settings.tls.enabled) return undefined;
    const from = (parameter: string, key: string) => ({
      parameter,
      name: settings.tls.clientSecret,
      key,
    });
    return new kubernetes.apiextensions.CustomResource(
      `${name}-scaler`,
      {
        apiVersion: KEDA_API,
        kind: 'TriggerAuthentication',
        metadata: { name: `${name}-scaler`, namespace },
        spec: {
          secretTargetRef: [
            from('caCert', 'ca.crt'),
            from('tlsClientCert', 'tls.crt'),
            from('tlsClientKey', 'tls.key'),
          ],
        },
      },
      { parent: this },
    ).metadata.name;
  }
}

/** What KEDA tells the scaler of a ScaledJob: every value is text. */
const triggerMetadata = ({ thresholdRatio, mode, tls }: EventScalingConfig) => ({
  scalerAddress: EXTERNAL_SCALER_ADDRESS,
  metricName: AVAILABLE_NODES_METRIC,
  threshold: String(thresholdRatio),
  mode,
  ...(tls.enabled && { enableTLS: 'true' }),
});
