import * as pulumi from '@pulumi/pulumi';
import type { AutoscalingConfig, ImagesConfig, PlatformConfig } from '../config-schema';
import { derivedSecret } from '../derived-secret';
import { autoscaledWorkers } from '../hosts/autoscaled-workers';
import type { DockerHosts } from '../hosts/docker-cluster';
import { agentContainer } from '../hosts/node-container';
import {
  AUTOSCALER_NAME,
  DOCKER_SOCKET_PROXY_NAME,
  NAMESPACES,
  dockerMemoryQueries,
  type CpuQueries,
} from '../plan';
import { declareCertificates, serviceNames } from '../platform/certificates';
import { MongoDb } from '../platform/mongodb';
import { Redis } from '../platform/redis';
import type { ServiceImages } from '../service-images';
import { Autoscaler } from '../services/autoscaler';
import { declareAutoscalerDashboards } from '../services/autoscaler-dashboards';
import { DockerSocketProxy } from '../services/docker-socket-proxy';
import { ScalingTests } from '../workloads/scaling-tests';

export interface AutoscalingArgs {
  readonly settings: AutoscalingConfig;
  readonly platform: Pick<PlatformConfig, 'redis' | 'mongodb'>;
  readonly hosts: DockerHosts;
  readonly namespace: pulumi.Input<string>;
  readonly images: Pick<ServiceImages, 'service'>;
  /** What the stores hold may not be deleted. */
  readonly protectStores: boolean;
  readonly registry: ImagesConfig;
  readonly registryPassword?: pulumi.Input<string> | undefined;
  readonly prometheusUrl: pulumi.Input<string>;
  readonly queries: CpuQueries;
}

/**
 * The autoscaler of a Docker cluster, what it keeps its state and its history in, and what guards Docker's socket for it. Its
 * workers are containers like those of the configured agents; they go with it.
 */
export class Autoscaling extends pulumi.ComponentResource {
  /** URLs inside the cluster, by service. */
  readonly urls: Readonly<Record<string, pulumi.Output<string>>>;
  /** Bearer token of the REST API's changes (secret). */
  readonly apiToken: pulumi.Output<string>;

  constructor(name: string, args: AutoscalingArgs, options: pulumi.ComponentResourceOptions) {
    super('berth:systems:Autoscaling', name, {}, options);
    const { hosts, namespace, settings, platform, images } = args;
    const { config, token } = hosts;
    const inside = { parent: this };
    const template = {
      estate: config.name,
      network: config.name,
      container: agentContainer(config, settings.worker),
    };
    const workers = autoscaledWorkers(`${name}-workers`, hosts, inside);
    const dockerToken = derivedSecret(token, 'docker-socket-proxy');
    const proxy = new DockerSocketProxy(
      DOCKER_SOCKET_PROXY_NAME,
      {
        ...{ hosts, template, token: dockerToken, logLevel: settings.logLevel },
        images: args.registry,
        registryPassword: args.registryPassword,
        image: images.service('docker-socket-proxy'),
        socket: socketOf(config.host, settings.dockerSocket),
      },
      { ...inside, dependsOn: [workers] },
    );
    const kept = { namespace, protect: args.protectStores };
    const redis = new Redis(
      'redis',
      { ...kept, store: platform.redis, password: derivedSecret(token, 'redis') },
      inside,
    );
    const mongodb = new MongoDb(
      'mongodb',
      { ...kept, store: platform.mongodb, password: derivedSecret(token, 'mongodb') },
      inside,
    );
    this.apiToken = derivedSecret(token, 'autoscaler-api');
    const certificates = declareCertificates(
      AUTOSCALER_NAME,
      settings.tls,
      { namespace, dnsNames: serviceNames(AUTOSCALER_NAME, NAMESPACES.system) },
      inside,
    );
    const autoscaler = new Autoscaler(
      AUTOSCALER_NAME,
      {
        ...{ namespace, settings, template, prometheusUrl: args.prometheusUrl },
        image: images.service('autoscaler'),
        queries: { ...args.queries, ...dockerMemoryQueries(config.cgroupnsMode) },
        dockerUrl: proxy.url,
        tlsSecret: certificates?.serverSecret,
        secrets: {
          ...{ apiToken: this.apiToken, clusterToken: token, dockerToken },
          ...{ redisUrl: redis.url, mongoUrl: mongodb.url },
        },
      },
      // While it ends it must still be able to finish what is under way.
      { ...inside, dependsOn: [workers, proxy, redis, mongodb, ...(certificates?.made ?? [])] },
    );
    if (settings.testWorkloads)
      new ScalingTests(
        'scaling-tests',
        {
          image: images.service('workload'),
          registry: args.registry,
          registryPassword: args.registryPassword,
          worker: settings.worker,
        },
        inside,
      );
    declareAutoscalerDashboards(namespace, inside);
    this.urls = { [AUTOSCALER_NAME]: autoscaler.url };
    this.registerOutputs({ urls: this.urls });
  }
}

/** The engine's socket on its own host: where it is reached, if by a socket, else where it is said to be. */
const socketOf = (host: string, elsewhere: string): string =>
  host.startsWith('unix://') ? host.slice('unix://'.length) : elsewhere;
