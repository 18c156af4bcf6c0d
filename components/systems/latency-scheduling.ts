import * as kubernetes from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import {
  simulatedLatenciesText,
  type LatencySchedulingConfig,
  type TraefikConfig,
} from '../config-schema';
import type { Guard } from '../network/guard';
import { podSecurity } from '../namespaces';
import { LATENCY_EXTENDER_NAME, LATENCY_SCHEDULER_NAME, NAMESPACES } from '../plan';
import { declareCertificates, serviceNames } from '../platform/certificates';
import { Traefik } from '../platform/traefik';
import type { ServiceImages } from '../service-images';
import { LatencyExtender } from '../services/latency-extender';
import { LatencyScheduler } from '../services/latency-scheduler';
import { Prober } from '../services/prober';
import { Hellopod } from '../workloads/hellopod';
import { TrafficGenerator } from '../workloads/traffic-generator';

export interface LatencySchedulingArgs {
  readonly settings: LatencySchedulingConfig;
  readonly traefik: TraefikConfig;
  /** Where the extender and the scheduler run. */
  readonly namespace: pulumi.Input<string>;
  readonly images: ServiceImages;
  /** Closes the namespaces of the probers and the hellopods, and Traefik's. */
  readonly guard: Guard;
  /** A kube-scheduler of the cluster's own version. */
  readonly kubeSchedulerImage: string;
  readonly prometheusUrl: pulumi.Input<string>;
  /** Whether nodes are containers, whose CPU only their control groups tell. */
  readonly nodeCgroups: boolean;
}

/**
 * Pods near the traffic, on nodes with room: probers measure, the extender rates nodes, and a kube-scheduler that asks
 * it places pods. Hellopods are placed by it; users reach them through Traefik, and if asked, requests come from one node.
 */
export class LatencyScheduling extends pulumi.ComponentResource {
  /** URLs inside the cluster, by service. */
  readonly urls: Readonly<Record<string, pulumi.Output<string>>>;

  constructor(name: string, args: LatencySchedulingArgs, options: pulumi.ComponentResourceOptions) {
    super('berth:systems:LatencyScheduling', name, {}, options);
    const { settings, namespace, images } = args;
    const { logLevel, replicas } = settings;
    const inside = { parent: this };
    const own = (id: string, level: 'restricted' | 'privileged') => {
      const { metadata } = new kubernetes.core.v1.Namespace(
        id,
        { metadata: { name: id, labels: podSecurity(level) } },
        inside,
      );
      return args.guard(metadata.name, id, this);
    };
    // Where nodes are containers the probers read /sys/fs/cgroup of their node, and no level but `privileged` allows a
    // hostPath. So they are in a namespace by themselves; everything else about their pods is as `restricted` asks.
    const probersNamespace = own(
      NAMESPACES.probers,
      args.nodeCgroups ? 'privileged' : 'restricted',
    );
    const prober = new Prober(
      'prober',
      {
        namespace: probersNamespace,
        image: images.service('prober'),
        nodeCgroups: args.nodeCgroups,
        settings: {
          landmarks: settings.landmarks,
          latencyFullScaleMs: settings.latencyFullScaleMs,
          simulatedLatenciesMs: simulatedLatenciesText(settings.simulatedLatenciesMs),
          logLevel,
        },
      },
      inside,
    );
    const certificates = declareCertificates(
      LATENCY_EXTENDER_NAME,
      settings.tls,
      {
        namespace,
        dnsNames: serviceNames(LATENCY_EXTENDER_NAME, NAMESPACES.system),
        client: LATENCY_SCHEDULER_NAME,
      },
      inside,
    );
    const made = certificates?.made ?? [];
    const extender = new LatencyExtender(
      LATENCY_EXTENDER_NAME,
      {
        namespace,
        image: images.service('latency-extender'),
        prometheusUrl: args.prometheusUrl,
        schedulerName: LATENCY_SCHEDULER_NAME,
        probers: { namespace: probersNamespace, selector: prober.selector, port: prober.port },
        settings: {
          replicas,
          nothingFresh: settings.nothingFresh,
          firstTargetWaitSeconds: settings.firstTargetWaitSeconds,
          logLevel,
        },
        tlsSecret: certificates?.serverSecret,
      },
      { ...inside, dependsOn: [prober, ...made] },
    );
    const scheduler = new LatencyScheduler(
      LATENCY_SCHEDULER_NAME,
      {
        namespace,
        image: args.kubeSchedulerImage,
        extenderUrl: extender.url,
        tls: certificates && {
          secret: settings.tls.clientSecret,
          authority: certificates.authority,
        },
        settings: {
          replicas,
          httpTimeoutSeconds: settings.httpTimeoutSeconds,
          ignorable: settings.ignorable,
        },
      },
      { ...inside, dependsOn: [...made] },
    );
    const traefik = args.traefik.enabled
      ? new Traefik('traefik', { traefik: args.traefik, guard: args.guard }, inside)
      : undefined;
    const helloNamespace = own(NAMESPACES.hello, 'restricted');
    const hellopod = new Hellopod(
      'hellopod',
      {
        namespace: helloNamespace,
        image: images.service('hellopod'),
        schedulerName: LATENCY_SCHEDULER_NAME,
        replicas: settings.hellopod.replicas,
        proberAddress: prober.localAddress,
        cpuMillis: settings.hellopod.cpuMillis,
        path: settings.hellopod.path || undefined,
        logLevel,
      },
      // Its route is of a kind that the cluster only knows with Traefik.
      { ...inside, dependsOn: [prober, extender, scheduler, ...(traefik ? [traefik] : [])] },
    );
    if (traefik !== undefined && settings.traffic.node !== '')
      new TrafficGenerator(
        'traffic-generator',
        {
          namespace: helloNamespace,
          image: images.service('load-generator'),
          node: settings.traffic.node,
          url: traefik.url,
          path: settings.hellopod.path || '/',
          ratePerSecond: settings.traffic.ratePerSecond,
        },
        inside,
      );
    this.urls = { [LATENCY_EXTENDER_NAME]: extender.url, hellopod: hellopod.url };
    this.registerOutputs({});
  }
}
