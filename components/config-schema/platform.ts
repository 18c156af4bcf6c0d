import { z } from 'zod';
import { block, chart, dnsLabel, imageReference, optionalUrl, wholeRange } from './values';

/** A server with data on a volume; an empty storage class is the cluster's default. */
const store = (image: string) =>
  block({
    image: imageReference.default(image),
    storageGb: wholeRange(1, 10_000).default(1),
    storageClass: z.union([z.literal(''), dnsLabel]).default(''),
  });

export const platformSchema = block({
  prometheus: block({
    enabled: z.boolean().default(true),
    url: optionalUrl.default(''),
    chart: chart.default('oci://ghcr.io/prometheus-community/charts/kube-prometheus-stack'),
    repository: optionalUrl.default(''),
    version: z.string().default('85.1.3'),
    namespace: dnsLabel.default('monitoring'),
    release: dnsLabel.max(26).default('kube-prom-stack'),
    scrapeIntervalSeconds: wholeRange(1, 600).default(10),
    retention: z
      .string()
      .regex(/^\d+[smhdw]$/, 'must be a duration such as 2d')
      .default('2d'),
    timeoutSeconds: wholeRange(10, 3600).default(600),
  }),
  keda: block({
    enabled: z.boolean().default(true),
    chart: chart.default('keda'),
    repository: optionalUrl.default('https://kedacore.github.io/charts'),
    version: z.string().default('2.21.0'),
    namespace: dnsLabel.default('keda'),
    release: dnsLabel.max(26).default('keda'),
    timeoutSeconds: wholeRange(10, 3600).default(600),
  }),
  traefik: block({
    enabled: z.boolean().default(true),
    chart: chart.default('traefik'),
    repository: optionalUrl.default('https://traefik.github.io/charts'),
    version: z.string().default('41.2.0'),
    namespace: dnsLabel.default('traefik'),
    release: dnsLabel.max(26).default('traefik'),
    kind: z
      .enum(['DaemonSet', 'Deployment'], { error: 'must be DaemonSet or Deployment' })
      .default('DaemonSet'),
    replicas: wholeRange(1, 20).default(1),
    serviceType: z
      .enum(['ClusterIP', 'NodePort', 'LoadBalancer'], {
        error: 'must be ClusterIP, NodePort or LoadBalancer',
      })
      .default('ClusterIP'),
    timeoutSeconds: wholeRange(10, 3600).default(600),
  }),
  metricsServer: block({
    enabled: z.boolean().default(false),
    chart: chart.default('metrics-server'),
    repository: optionalUrl.default('https://kubernetes-sigs.github.io/metrics-server'),
    version: z.string().default('3.13.1'),
    tag: z
      .string()
      .regex(/^\w[\w.-]{0,127}$/, 'must be the tag of an image')
      .default('v0.9.0'),
    namespace: dnsLabel.default('kube-system'),
    release: dnsLabel.max(26).default('metrics-server'),
    timeoutSeconds: wholeRange(10, 3600).default(600),
  }),
  mosquitto: block({ image: imageReference.default('eclipse-mosquitto:2') }),
  /** Of the cluster's own version: that of cluster.docker.image, unless said. */
  kubeScheduler: block({
    image: imageReference.default('registry.k8s.io/kube-scheduler:v1.36.3'),
  }),
  redis: store('redis:7'),
  mongodb: store('mongo:7'),
}).superRefine((platform, ctx) => {
  if (!platform.prometheus.enabled && platform.prometheus.url === '')
    ctx.addIssue({
      code: 'custom',
      path: ['prometheus', 'url'],
      message: 'must be the URL of your Prometheus when prometheus.enabled is false',
    });
});

export type PlatformConfig = z.infer<typeof platformSchema>;
/** KEDA's Helm release; with `enabled: false` the cluster has a KEDA of its own. */
export type KedaConfig = PlatformConfig['keda'];
/** Traefik's Helm release; with `enabled: false` the cluster has a Traefik of its own, or none. */
export type TraefikConfig = PlatformConfig['traefik'];
/** A server that keeps its data on a volume. */
export type StoreConfig = PlatformConfig['redis'];
/** metrics-server's Helm release; with `enabled: false` the cluster has one of its own, as k3s does. */
export type MetricsServerConfig = PlatformConfig['metricsServer'];
