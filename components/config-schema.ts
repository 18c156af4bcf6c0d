import { z } from 'zod';

const dnsLabel = z
  .string()
  .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, 'must be a DNS label: a-z, 0-9 and -, at most 63');
const labelValue = z
  .string()
  .regex(/^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/, 'must be a Kubernetes label value');
const labelKey = z
  .string()
  .regex(
    /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/,
    'must be a Kubernetes label key',
  );
const imageReference = z
  .string()
  .regex(
    /^[\w.-]+(:\d+)?(\/[\w.-]+)*(:[\w.-]+)?(@sha256:[0-9a-f]{64})?$/,
    'must be an image reference',
  );
const absolutePath = z.string().regex(/^\/[^\s:]*$/, 'must be an absolute path');

/** A number in a range; the range is in every message. */
const range = (min: number, max: number) => {
  const allowed = `is not in ${min}..${max}`;
  return z
    .number({ error: `must be a number in ${min}..${max}` })
    .min(min, allowed)
    .max(max, allowed);
};
const wholeRange = (min: number, max: number) =>
  range(min, max).int(`must be a whole number in ${min}..${max}`);

/** An object whose unknown keys are errors and which may be left out whole. */
const block = <S extends z.ZodRawShape>(shape: S) => z.strictObject(shape).prefault({} as never);

const bind = z.strictObject({
  hostPath: absolutePath,
  containerPath: absolutePath,
  readOnly: z.boolean().default(false),
});

const nodeSize = (cpus: number, memoryMb: number) =>
  block({
    cpus: range(0.1, 256).default(cpus),
    memoryMb: wholeRange(256, 1_048_576).default(memoryMb),
  });

/** k3s server and agents as containers of one Docker engine. */
const dockerCluster = block({
  host: z.string().default(''),
  name: dnsLabel.max(40).default('berth'),
  image: imageReference.default('rancher/k3s:v1.36.3-k3s1'),
  apiAddress: z
    .union([z.ipv4(), z.ipv6()], { error: 'must be an IP address' })
    .default('127.0.0.1'),
  apiPort: wholeRange(1, 65_535).default(6443),
  privileged: z.boolean().default(true),
  capabilities: z
    .array(z.string().regex(/^[A-Z_]+$/, 'must be a capability such as NET_ADMIN'))
    .default([]),
  securityOptions: z.array(z.string()).default([]),
  devices: z
    .array(z.strictObject({ hostPath: absolutePath, containerPath: absolutePath }))
    .default([]),
  mounts: z.array(bind).default([]),
  tmpfs: z.array(absolutePath).default(['/run', '/tmp']),
  cgroupnsMode: z.enum(['host', 'private']).default('private'),
  volumePaths: z
    .array(absolutePath)
    .min(1)
    .default(['/var/lib/rancher/k3s', '/var/lib/kubelet', '/var/lib/cni', '/var/log']),
  registries: z.record(z.string(), z.unknown()).default({}),
  hostCpus: wholeRange(1, 4096).optional(),
  hostMemoryMb: wholeRange(256, 16_777_216).optional(),
  server: nodeSize(2, 3072),
  agent: nodeSize(1, 2048),
  readyTimeoutSeconds: wholeRange(10, 3600).default(300),
  drainTimeoutSeconds: wholeRange(1, 3600).default(120),
});

export const clusterSchema = block({
  kind: z.enum(['docker', 'existing']).default('docker'),
  docker: dockerCluster,
  existing: block({ context: z.string().default('') }),
}).superRefine((cluster, ctx) => {
  if (
    cluster.kind === 'docker' &&
    !cluster.docker.privileged &&
    cluster.docker.capabilities.length === 0
  )
    ctx.addIssue({
      code: 'custom',
      path: ['docker', 'capabilities'],
      message: 'must list the capabilities of a node when privileged is false',
    });
});

const taint = z.strictObject({
  key: labelKey,
  value: labelValue.default(''),
  effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']),
});

const node = z.strictObject({
  name: dnsLabel,
  slot: wholeRange(1, 10).optional(),
  eligible: z.boolean().default(true),
  labels: z.record(labelKey, labelValue).default({}),
  taints: z.array(taint).default([]),
  cpus: range(0.1, 256).optional(),
  memoryMb: wholeRange(256, 1_048_576).optional(),
});

export const nodesSchema = z.array(node).default([]);

export const imagesSchema = block({
  registry: imageReference.default('localhost:5000/berth'),
  username: z.string().default(''),
  platforms: z
    .array(z.enum(['linux/amd64', 'linux/arm64']))
    .min(1, 'must name at least one platform')
    .default(['linux/amd64', 'linux/arm64']),
  baseImage: imageReference.default('node:22-bookworm-slim'),
  builder: z.string().default(''),
});

export const platformSchema = block({
  prometheus: block({
    enabled: z.boolean().default(true),
    url: z.union([z.literal(''), z.url('must be a URL')]).default(''),
    chart: z
      .string()
      .min(1, 'must name a chart: a path, or oci://…')
      .default('oci://ghcr.io/prometheus-community/charts/kube-prometheus-stack'),
    repository: z.union([z.literal(''), z.url('must be a URL')]).default(''),
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
  mosquitto: block({ image: imageReference.default('eclipse-mosquitto:2') }),
}).superRefine((platform, ctx) => {
  if (!platform.prometheus.enabled && platform.prometheus.url === '')
    ctx.addIssue({
      code: 'custom',
      path: ['prometheus', 'url'],
      message: 'must be the URL of your Prometheus when prometheus.enabled is false',
    });
});

export const postureSchema = block({
  maxImages: wholeRange(1, 1_000_000).default(12),
  idleTimeoutSeconds: wholeRange(1, 86_400).default(120),
  workers: wholeRange(1, 16).default(1),
  cpuRequest: z
    .string()
    .regex(/^(\d+m|\d+(\.\d+)?)$/, 'must be a CPU quantity such as 100m')
    .default('100m'),
  memoryRequest: z
    .string()
    .regex(/^\d+(Ki|Mi|Gi)$/, 'must be a memory quantity such as 256Mi')
    .default('256Mi'),
  devices: z.array(labelValue).default([]),
  preferSlots: z.boolean().default(true),
  feederRatePerSecond: range(0.01, 1000).default(2),
  outputDirectory: absolutePath.default('/var/lib/posture/analyzed_images'),
  database: block({
    enabled: z.boolean().default(false),
    host: z.string().default(''),
    port: wholeRange(1, 65_535).default(5432),
    name: z.string().min(1).default('posture'),
    user: z.string().min(1).default('posture'),
  }),
}).superRefine(({ database }, ctx) => {
  if (database.enabled && database.host === '')
    ctx.addIssue({
      code: 'custom',
      path: ['database', 'host'],
      message: 'must be the host of PostgreSQL when database.enabled is true',
    });
});

/** The switch of a system that this version does not have yet: it can only be off. */
const notYet = block({
  enabled: z
    .literal(false, { error: 'must be false: this version of Berth does not have the system yet' })
    .default(false),
});

export const systemsSchema = block({
  cpuScheduling: block({
    enabled: z.boolean().default(true),
    replicas: wholeRange(1, 5).default(2),
    cpuQuery: z.string().default(''),
    cpuTimeQuery: z.string().default(''),
    thresholdRatio: range(0.05, 1).default(0.9),
    pollIntervalSeconds: wholeRange(1, 60).default(10),
    readingMaxAgeSeconds: wholeRange(1, 600).default(30),
    firstReadingWaitSeconds: wholeRange(0, 600).default(60),
    offload: block({
      enabled: z.boolean().default(true),
      dryRun: z.boolean().default(false),
      intervalSeconds: wholeRange(5, 3600).default(30),
      minimumAgeSeconds: wholeRange(0, 86_400).default(60),
      maxPerCycle: wholeRange(1, 100).default(2),
    }),
    logLevel: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  }),
  eventScaling: notYet,
  latencyScheduling: notYet,
  autoscaling: notYet,
  experiment: notYet,
});

/** Every key of `berth:` that holds no secret. */
export const estateSchemas = {
  cluster: clusterSchema,
  nodes: nodesSchema,
  images: imagesSchema,
  platform: platformSchema,
  posture: postureSchema,
  systems: systemsSchema,
} as const;

export type ClusterConfig = z.infer<typeof clusterSchema>;
export type DockerClusterConfig = ClusterConfig['docker'];
export type NodeConfig = z.infer<typeof node>;
export type ImagesConfig = z.infer<typeof imagesSchema>;
export type PlatformConfig = z.infer<typeof platformSchema>;
export type PostureConfig = z.infer<typeof postureSchema>;
export type SystemsConfig = z.infer<typeof systemsSchema>;
export type CpuSchedulingConfig = SystemsConfig['cpuScheduling'];
