import * as kubernetes from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import { EXPERIMENT_NAMESPACE, WORKLOAD_PORT, WORKLOADS } from '../../runtime/experiment/names';
import type { ExperimentConfig, ImagesConfig, MetricsServerConfig } from '../config-schema';
import type { Guard } from '../network/guard';
import { podSecurity } from '../namespaces';
import { MetricsServer } from '../platform/metrics-server';
import { pullSecrets } from '../pull-secret';
import type { ServiceImages } from '../service-images';
import { ExperimentWorkload } from '../workloads/experiment';
import { LoadTemplate } from '../workloads/load-template';

export interface ExperimentArgs {
  readonly settings: ExperimentConfig;
  readonly metricsServer: MetricsServerConfig;
  readonly images: ServiceImages;
  readonly registry: ImagesConfig;
  /** Closes the workloads' namespace. */
  readonly guard: Guard;
  /** Password of registry.username, where that is set. */
  readonly registryPassword?: pulumi.Input<string> | undefined;
}

/** What schedulers are compared on: two workloads that autoscalers grow under load, and what makes the load. */
export class Experiment extends pulumi.ComponentResource {
  /** URLs inside the cluster, by service. */
  readonly urls: Readonly<Record<string, pulumi.Output<string>>>;

  constructor(name: string, args: ExperimentArgs, options: pulumi.ComponentResourceOptions) {
    super('berth:systems:Experiment', name, {}, options);
    const { settings, metricsServer, images } = args;
    const inside = { parent: this };
    const { metadata } = new kubernetes.core.v1.Namespace(
      EXPERIMENT_NAMESPACE,
      { metadata: { name: EXPERIMENT_NAMESPACE, labels: podSecurity('restricted') } },
      inside,
    );
    const namespace = args.guard(metadata.name, EXPERIMENT_NAMESPACE, this);
    const metrics = metricsServer.enabled
      ? [new MetricsServer('metrics-server', { metricsServer }, inside)]
      : [];
    const imagePullSecrets = pullSecrets(
      'wl-registry',
      { namespace, images: args.registry, registryPassword: args.registryPassword },
      inside,
    );
    const image = images.service('workload');
    const workloads = WORKLOADS.map((names) => {
      const workload = { names, namespace, image, imagePullSecrets, settings };
      // An autoscaler without metrics says so in events until they are there.
      return new ExperimentWorkload(names.deployment, workload, { ...inside, dependsOn: metrics });
    });
    const [target] = WORKLOADS;
    new LoadTemplate(
      'load-template',
      {
        namespace,
        image: images.service('load-generator'),
        imagePullSecrets,
        host: pulumi.interpolate`${target?.service ?? ''}.${namespace}.svc`,
        port: WORKLOAD_PORT,
      },
      inside,
    );
    this.urls = Object.fromEntries(
      workloads.map(({ url }, index) => [WORKLOADS[index]?.service ?? '', url]),
    );
    this.registerOutputs({});
  }
}
