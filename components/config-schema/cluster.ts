import { z } from 'zod';
import { sshCluster, sshClusterProblems } from './ssh-cluster';
import { absolutePath, block, dnsLabel, imageReference, range, wholeRange } from './values';

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
  kind: z.enum(['docker', 'existing', 'ssh']).default('docker'),
  docker: dockerCluster,
  existing: block({ context: z.string().default('') }),
  ssh: sshCluster,
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
  if (cluster.kind === 'ssh')
    for (const { path, message } of sshClusterProblems(cluster.ssh))
      ctx.addIssue({ code: 'custom', path: ['ssh', ...path], message });
});

export type ClusterConfig = z.infer<typeof clusterSchema>;
export type DockerClusterConfig = ClusterConfig['docker'];
