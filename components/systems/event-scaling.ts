import * as kubernetes from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import type { EventScalingConfig, KedaConfig } from '../config-schema';
import type { Guard } from '../network/guard';
import { NodeRanks } from '../node-ranks';
import {
  EXTERNAL_SCALER_ADDRESS,
  EXTERNAL_SCALER_NAME,
  NODE_CONTROLLER_NAME,
  PROMETHEUS_CONFIG_NAME,
  type CpuQueries,
} from '../plan';
import { declareCertificates } from '../platform/certificates';
import { Keda } from '../platform/keda';
import type { ServiceImages } from '../service-images';
import { ExternalScaler } from '../services/external-scaler';
import { NodeController } from '../services/node-controller';
import type { AnalyzersArgs } from '../workloads/analyzer-pod';
import { QueuedJobs } from '../workloads/queued-jobs';
import { ScaledJobs } from '../workloads/scaled-jobs';

export interface EventScalingArgs {
  readonly settings: EventScalingConfig;
  readonly keda: KedaConfig;
  readonly images: ServiceImages;
  /** Closes KEDA's namespace. */
  readonly guard: Guard;
  readonly analyzers: AnalyzersArgs;
  readonly prometheusUrl: pulumi.Input<string>;
  readonly queries: CpuQueries;
  readonly kubeconfig: pulumi.Input<string>;
}

/**
 * The queue of analyzers and what releases them: the node controller says which nodes have room; then KEDA, which asks
 * the external scaler, makes the Jobs of ScaledJobs, or the controller itself releases suspended Jobs.
 */
export class EventScaling extends pulumi.ComponentResource {
  /** URLs inside the cluster, by service. */
  readonly urls: Readonly<Record<string, pulumi.Output<string>>>;
  /** Names of the plain Jobs of the queue. */
  readonly jobs: readonly string[] = [];
  /** Names of the ScaledJobs of the queue. */
  readonly scaledJobs: readonly string[] = [];

  constructor(name: string, args: EventScalingArgs, options: pulumi.ComponentResourceOptions) {
    super('berth:systems:EventScaling', name, {}, options);
    const { settings, analyzers, images, queries } = args;
    const { namespace } = analyzers;
    const inside = { parent: this };
    const prometheus = new kubernetes.core.v1.ConfigMap(
      PROMETHEUS_CONFIG_NAME,
      {
        metadata: { name: PROMETHEUS_CONFIG_NAME, namespace },
        data: { PROM_URL: args.prometheusUrl },
      },
      inside,
    );
    const service = { namespace, queries, settings };
    const configMap = prometheus.metadata.name;
    const ranks = new NodeRanks('node-ranks', { kubeconfig: args.kubeconfig }, inside);
    const controller = new NodeController(
      NODE_CONTROLLER_NAME,
      {
        ...service,
        image: images.service('node-controller'),
        prometheusConfigMap: configMap,
      },
      { ...inside, dependsOn: [ranks] },
    );
    const queue = { ...analyzers, settings };
    if (settings.release === 'jobs') {
      this.urls = { [NODE_CONTROLLER_NAME]: controller.url };
      this.jobs = new QueuedJobs('posture-queue', queue, {
        ...inside,
        dependsOn: [controller],
      }).names;
    } else {
      const keda = args.keda.enabled
        ? [new Keda('keda', { keda: args.keda, guard: args.guard }, inside)]
        : [];
      const [host = ''] = EXTERNAL_SCALER_ADDRESS.split(':');
      const certificates = declareCertificates(
        EXTERNAL_SCALER_NAME,
        settings.tls,
        { namespace, dnsNames: [host], client: 'keda' },
        inside,
      );
      const made = certificates?.made ?? [];
      const scaler = new ExternalScaler(
        EXTERNAL_SCALER_NAME,
        {
          ...service,
          image: images.service('external-scaler'),
          configMap,
          controllerUrl: controller.url,
          tlsSecret: certificates?.serverSecret,
        },
        // It is ready once it follows the ScaledJobs, a kind that the cluster only knows with KEDA.
        { ...inside, dependsOn: [...keda, ...made] },
      );
      // KEDA takes its finalizer off each ScaledJob, so they go before it does.
      const dependsOn = [controller, scaler, ...keda];
      this.scaledJobs = new ScaledJobs('posture-queue', queue, { ...inside, dependsOn }).names;
      this.urls = { [NODE_CONTROLLER_NAME]: controller.url, [EXTERNAL_SCALER_NAME]: scaler.url };
    }
    this.registerOutputs({});
  }
}
