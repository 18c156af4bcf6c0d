import * as pulumi from '@pulumi/pulumi';
import { Mosquitto } from './platform/mosquitto';
import { Prometheus } from './platform/prometheus';
import { declareCluster } from './hosts/cluster';
import { Namespaces } from './namespaces';
import { NodeSlots } from './node-slots';
import { ANALYZER_APPS, dockerCpuQueries, HOST_CPU_QUERIES, postureJobName } from './plan';
import type { EstateConfig } from './config';
import { CpuScheduler } from './services/cpu-scheduler';
import { ImageFeeder } from './services/image-feeder';
import { ServiceImages } from './service-images';
import type { StackConfig } from './stack-config';
import { PostureJobs } from './workloads/posture-jobs';

/** What a stack exports. */
export interface EstateOutputs {
  /** Cluster-admin kubeconfig (secret). */
  readonly kubeconfig: pulumi.Output<string>;
  readonly registry: string;
  /** URLs inside the cluster, by name. */
  readonly urls: Readonly<Record<string, pulumi.Input<string>>>;
  /** PromQL of the used share of each node. */
  readonly cpuQuery: string;
  /** Names of the posture jobs. */
  readonly jobs: readonly string[];
  /** Names of the systems that are on. */
  readonly systems: readonly string[];
}

/** Declares the whole estate of a stack, in the order in which its parts need each other. */
export function declareEstate({ config, secrets }: StackConfig): EstateOutputs {
  const cluster = declareCluster(config, {
    token: secrets.clusterToken,
    kubeconfig: secrets.kubeconfig,
  });
  const { provider } = cluster;
  const slots = new NodeSlots('node', { cluster, nodes: config.nodes });
  const onCluster = { providers: [provider], dependsOn: [slots] };
  const prometheusUrl = declarePrometheus(config, onCluster);
  const urls: Record<string, pulumi.Input<string>> = { prometheus: prometheusUrl };
  const outputs = {
    kubeconfig: cluster.kubeconfig,
    registry: config.images.registry,
    systems: Object.entries(config.systems).flatMap(([name, { enabled }]) =>
      enabled ? [name] : [],
    ),
    urls,
  };
  const scheduling = config.systems.cpuScheduling;
  const defaults =
    config.cluster.kind === 'docker'
      ? dockerCpuQueries(config.cluster.docker.cgroupnsMode)
      : HOST_CPU_QUERIES;
  const queries = {
    cpuQuery: scheduling.cpuQuery || defaults.cpuQuery,
    cpuTimeQuery: scheduling.cpuTimeQuery || defaults.cpuTimeQuery,
  };
  if (!scheduling.enabled) return { ...outputs, cpuQuery: queries.cpuQuery, jobs: [] };

  const namespaces = new Namespaces('namespaces', onCluster);
  const images = new ServiceImages('images', {
    images: config.images,
    registryPassword: secrets.registryPassword,
  });
  const scheduler = new CpuScheduler(
    'cpu-scheduler',
    {
      namespace: namespaces.system,
      image: images.cpuScheduler,
      prometheusUrl,
      queries,
      settings: scheduling,
    },
    onCluster,
  );
  urls['cpu-scheduler'] = scheduler.url;
  const broker = new Mosquitto(
    'mosquitto',
    { namespace: namespaces.system, image: config.platform.mosquitto.image },
    onCluster,
  );
  new ImageFeeder(
    'image-feeder',
    {
      namespace: namespaces.system,
      image: images.imageFeeder,
      broker,
      ratePerSecond: config.posture.feederRatePerSecond,
    },
    onCluster,
  );
  new PostureJobs(
    'posture',
    {
      namespace: namespaces.posture,
      images: images.analyzers,
      broker,
      posture: config.posture,
      databasePassword: secrets.databasePassword,
    },
    { ...onCluster, dependsOn: [slots, scheduler, broker] },
  );
  return { ...outputs, cpuQuery: queries.cpuQuery, jobs: ANALYZER_APPS.map(postureJobName) };
}

function declarePrometheus(
  config: EstateConfig,
  options: pulumi.ComponentResourceOptions,
): pulumi.Input<string> {
  const { prometheus } = config.platform;
  if (!prometheus.enabled) return prometheus.url;
  return new Prometheus('prometheus', { prometheus }, options).url;
}
