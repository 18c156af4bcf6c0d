import * as pulumi from '@pulumi/pulumi';
import { DASHBOARD_OBJECTS } from '../runtime/experiment/names';
import { Mosquitto } from './platform/mosquitto';
import { Prometheus } from './platform/prometheus';
import { declareCluster } from './hosts/cluster';
import { Namespaces } from './namespaces';
import { networkGuard } from './network/guard';
import { NodeSlots } from './node-slots';
import {
  ANALYZER_APPS,
  CPU_SCHEDULER_NAME,
  dockerCpuQueries,
  HOST_CPU_QUERIES,
  postureJobName,
  type CpuQueries,
} from './plan';
import type { EstateConfig } from './config';
import { autoscalerAlerts, type RuleGroup } from './services/autoscaler-alerts';
import { CpuScheduler } from './services/cpu-scheduler';
import { ImageFeeder } from './services/image-feeder';
import { ServiceImages } from './service-images';
import type { StackConfig } from './stack-config';
import { Autoscaling } from './systems/autoscaling';
import { EventScaling } from './systems/event-scaling';
import { Experiment } from './systems/experiment';
import { LatencyScheduling } from './systems/latency-scheduling';
import type { AnalyzersArgs } from './workloads/analyzer-pod';
import { PostureJobs } from './workloads/posture-jobs';

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** What a stack exports. */
export interface EstateOutputs {
  /** Cluster-admin kubeconfig (secret). */
  readonly kubeconfig: pulumi.Output<string>;
  readonly registry: string;
  /** URLs inside the cluster, by name. */
  readonly urls: Readonly<Record<string, pulumi.Input<string>>>;
  /** PromQL of the used share of each node. */
  readonly cpuQuery: string;
  /** Names of the posture jobs: plain Jobs that run once. */
  readonly jobs: readonly string[];
  /** Names of the ScaledJobs. */
  readonly scaledJobs: readonly string[];
  /** Names of the systems that are on. */
  readonly systems: readonly string[];
  /** Bearer token of what the autoscaler's API changes (secret); undefined where there is no autoscaler. */
  readonly autoscalerApiToken?: pulumi.Output<string> | undefined;
}

/** Declares the whole estate of a stack, in the order in which its parts need each other. */
export function declareEstate({ config, secrets, hostKeys }: StackConfig): EstateOutputs {
  const cluster = declareCluster(config, {
    token: secrets.clusterToken,
    kubeconfig: secrets.kubeconfig,
    agentToken: secrets.agentToken,
    sshPrivateKey: secrets.sshPrivateKey,
    hostKeys,
  });
  const { provider } = cluster;
  const slots = new NodeSlots('node', { cluster, nodes: config.nodes });
  const onCluster = { providers: [provider], dependsOn: [slots] };
  const prometheusUrl = declarePrometheus(config, onCluster);
  const urls: Record<string, pulumi.Input<string>> = { prometheus: prometheusUrl };
  const outputs: Writable<Omit<EstateOutputs, 'cpuQuery' | 'jobs' | 'scaledJobs'>> = {
    kubeconfig: cluster.kubeconfig,
    registry: config.images.registry,
    systems: Object.entries(config.systems).flatMap(([name, { enabled }]) =>
      enabled ? [name] : [],
    ),
    urls,
  };
  const { autoscaling, cpuScheduling, eventScaling, experiment, latencyScheduling } =
    config.systems;
  const queries = cpuQueries(config);
  const { cpuQuery } = queries;
  const jobs: string[] = [];
  const scaledJobs: string[] = [];
  if (outputs.systems.length === 0) return { ...outputs, cpuQuery, jobs, scaledJobs };

  const guard = networkGuard(config);
  const namespaces = new Namespaces('namespaces', { guard }, onCluster);
  const images = new ServiceImages('images', {
    images: config.images,
    registryPassword: secrets.registryPassword,
  });
  if (latencyScheduling.enabled) {
    const scheduling = new LatencyScheduling(
      'latency-scheduling',
      {
        settings: latencyScheduling,
        traefik: config.platform.traefik,
        namespace: namespaces.system,
        images,
        guard,
        kubeSchedulerImage: config.platform.kubeScheduler.image,
        prometheusUrl,
        nodeCgroups: config.cluster.kind === 'docker',
      },
      onCluster,
    );
    Object.assign(urls, scheduling.urls);
  }
  if (autoscaling.enabled && cluster.dockerHosts !== undefined) {
    const scaling = new Autoscaling(
      'autoscaling',
      {
        settings: autoscaling,
        platform: config.platform,
        protectStores: config.protect === 'datastores',
        hosts: cluster.dockerHosts,
        namespace: namespaces.system,
        images,
        registry: config.images,
        registryPassword: secrets.registryPassword,
        prometheusUrl,
        queries,
      },
      onCluster,
    );
    Object.assign(urls, scaling.urls);
    outputs.autoscalerApiToken = scaling.apiToken;
  }
  if (experiment.enabled) {
    const workloads = new Experiment(
      'experiment',
      {
        settings: experiment,
        metricsServer: config.platform.metricsServer,
        images,
        guard,
        registry: config.images,
        registryPassword: secrets.registryPassword,
      },
      onCluster,
    );
    Object.assign(urls, workloads.urls);
  }
  if (!cpuScheduling.enabled && !eventScaling.enabled)
    return { ...outputs, cpuQuery, jobs, scaledJobs };

  const broker = declareCameras(config, namespaces, images, onCluster);
  const analyzers: AnalyzersArgs = {
    namespace: namespaces.posture,
    images: images.analyzers,
    broker,
    posture: config.posture,
    databasePassword: secrets.databasePassword,
  };
  if (cpuScheduling.enabled) {
    const scheduler = new CpuScheduler(
      CPU_SCHEDULER_NAME,
      {
        namespace: namespaces.system,
        image: images.service('cpu-scheduler'),
        prometheusUrl,
        queries,
        settings: cpuScheduling,
      },
      onCluster,
    );
    urls[CPU_SCHEDULER_NAME] = scheduler.url;
    new PostureJobs('posture', analyzers, {
      ...onCluster,
      dependsOn: [slots, scheduler, broker],
    });
    jobs.push(...ANALYZER_APPS.map(postureJobName));
  }
  if (eventScaling.enabled) {
    const scaling = new EventScaling(
      'event-scaling',
      {
        settings: eventScaling,
        keda: config.platform.keda,
        images,
        guard,
        analyzers,
        prometheusUrl,
        queries,
        kubeconfig: cluster.kubeconfig,
      },
      { ...onCluster, dependsOn: [slots, broker] },
    );
    Object.assign(urls, scaling.urls);
    jobs.push(...scaling.jobs);
    scaledJobs.push(...scaling.scaledJobs);
  }
  return { ...outputs, cpuQuery, jobs, scaledJobs };
}

/** The configured PromQL of CPU, or the default for the cluster's kind. */
function cpuQueries({ cluster, systems: { cpuScheduling } }: EstateConfig): CpuQueries {
  const defaults =
    cluster.kind === 'docker' ? dockerCpuQueries(cluster.docker.cgroupnsMode) : HOST_CPU_QUERIES;
  return {
    cpuQuery: cpuScheduling.cpuQuery || defaults.cpuQuery,
    cpuTimeQuery: cpuScheduling.cpuTimeQuery || defaults.cpuTimeQuery,
  };
}

/** The broker of the analyzers' images, and what publishes some. */
function declareCameras(
  { platform, posture }: EstateConfig,
  namespaces: Namespaces,
  images: ServiceImages,
  options: pulumi.ComponentResourceOptions,
): Mosquitto {
  const namespace = namespaces.system;
  const broker = new Mosquitto(
    'mosquitto',
    { namespace, image: platform.mosquitto.image },
    options,
  );
  new ImageFeeder(
    'image-feeder',
    {
      namespace,
      image: images.service('image-feeder'),
      broker,
      ratePerSecond: posture.feederRatePerSecond,
    },
    options,
  );
  return broker;
}

function declarePrometheus(
  config: EstateConfig,
  options: pulumi.ComponentResourceOptions,
): pulumi.Input<string> {
  const { prometheus } = config.platform;
  if (!prometheus.enabled) return prometheus.url;
  const { autoscaling, experiment } = config.systems;
  const nodeCgroups = config.cluster.kind === 'docker';
  const alerts: Record<string, RuleGroup> = autoscaling.enabled
    ? { autoscaler: autoscalerAlerts(autoscaling) }
    : {};
  const clusterObjects = experiment.enabled ? DASHBOARD_OBJECTS : [];
  const args = { prometheus, nodeCgroups, alerts, clusterObjects };
  return new Prometheus('prometheus', args, options).url;
}
