import * as kubernetes from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import type { MetricsServerConfig } from '../config-schema';
import { chartArgs } from './helm-release';

/**
 * What answers the API `metrics.k8s.io`, from which HorizontalPodAutoscalers know the CPU of pods: one pinned Helm
 * release. k3s brings one of its own, so this is for a cluster that has none.
 */
export class MetricsServer extends pulumi.ComponentResource {
  constructor(
    name: string,
    args: { readonly metricsServer: MetricsServerConfig },
    options: pulumi.ComponentResourceOptions,
  ) {
    super('berth:platform:MetricsServer', name, {}, options);
    const { metricsServer } = args;
    new kubernetes.helm.v3.Release(
      name,
      {
        ...chartArgs(metricsServer),
        namespace: metricsServer.namespace,
        createNamespace: true,
        values: {
          // The chart is released after what it installs.
          image: { tag: metricsServer.tag },
          // On a busy board a healthy server may take longer than a second to answer.
          livenessProbe: { timeoutSeconds: 5 },
          readinessProbe: { timeoutSeconds: 5 },
        },
      },
      { parent: this },
    );
    this.registerOutputs({});
  }
}
