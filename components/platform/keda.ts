import * as kubernetes from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import type { KedaConfig } from '../config-schema';
import { podSecurity } from '../namespaces';
import type { Guard } from '../network/guard';
import { chartArgs } from './helm-release';

/**
 * KEDA's operator in a namespace of its own: one pinned Helm release. Whoever declares ScaledJobs depends on it, so that
 * they are gone before the operator is: only it takes the finalizer off a ScaledJob.
 */
export class Keda extends pulumi.ComponentResource {
  /** Namespace in which the operator runs. */
  readonly namespace: pulumi.Output<string>;

  constructor(
    name: string,
    args: { readonly keda: KedaConfig; readonly guard: Guard },
    options: pulumi.ComponentResourceOptions,
  ) {
    super('berth:platform:Keda', name, {}, options);
    const { keda } = args;
    const inside = { parent: this };
    const namespace = new kubernetes.core.v1.Namespace(
      `${name}-namespace`,
      { metadata: { name: keda.namespace, labels: podSecurity('restricted') } },
      inside,
    );
    const helm = new kubernetes.helm.v3.Release(
      name,
      {
        ...chartArgs(keda),
        namespace: args.guard(namespace.metadata.name, keda.namespace, this),
        values: {
          // On a busy board a healthy operator may take longer than a second to answer.
          operator: { livenessProbe: { timeoutSeconds: 5 }, readinessProbe: { timeoutSeconds: 5 } },
          // Jobs are scaled without the metrics API, which is for ScaledObjects.
          metricsServer: { enabled: false },
          certificates: { operator: { apiServicePatching: { enabled: false } } },
          webhooks: { enabled: false },
          // Otherwise the operator may read every object of the cluster, secrets too.
          rbac: { enabledCustomScaledRefKinds: false },
        },
      },
      inside,
    );
    this.namespace = helm.status.namespace;
    this.registerOutputs({ namespace: this.namespace });
  }
}
