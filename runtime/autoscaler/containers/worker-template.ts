import { z } from 'zod';

/** An absolute path. */
const path = z.string().regex(/^\/[^\s:]*$/, 'must be an absolute path');

/** What the container of a k3s node is made of, whoever makes it: the stack for configured nodes, the autoscaler for workers. */
export const nodeContainerSchema = z.strictObject({
  image: z.string().min(1),
  command: z.array(z.string()).min(1),
  /** Environment of every such container, without its own name and the cluster's token. */
  environment: z.record(z.string(), z.string()),
  /** Processors that it may use. */
  cpus: z.number().positive(),
  /** Memory that it may use, in MiB. */
  memoryMb: z.number().int().positive(),
  privileged: z.boolean(),
  /** Capabilities that are added where it is not privileged. */
  capabilities: z.array(z.string()),
  securityOptions: z.array(z.string()),
  devices: z.array(z.strictObject({ hostPath: path, containerPath: path })),
  mounts: z.array(z.strictObject({ hostPath: path, containerPath: path, readOnly: z.boolean() })),
  tmpfs: z.array(path),
  cgroupnsMode: z.enum(['host', 'private']),
  /** Folders that are volumes of the container. */
  volumePaths: z.array(path),
  /** Files that are put into it before it starts: path to content. */
  files: z.record(path, z.string()),
  /** Time between SIGTERM and SIGKILL when it is stopped, in seconds. */
  stopSeconds: z.number().int().min(0).max(600),
});

/** What every worker is made of. */
export const workerTemplateSchema = z.strictObject({
  /** Value of the autoscaler's label: workers of other estates on the same Docker engine are not seen. */
  estate: z.string().regex(/^[a-z0-9][-a-z0-9]{0,62}$/, 'must be a DNS label'),
  /** Docker network of the estate. */
  network: z.string().min(1),
  container: nodeContainerSchema,
});

export type NodeContainer = z.infer<typeof nodeContainerSchema>;
export type WorkerTemplate = z.infer<typeof workerTemplateSchema>;

/** What the containers of workers are made of, with the secret. */
export interface WorkerMould {
  readonly template: WorkerTemplate;
  /** The secret with which agents join the cluster. */
  readonly clusterToken: string;
}

/** The environment of a node's container, the token left out. */
export const nodeEnvironment = (
  { environment }: NodeContainer,
  nodeName: string,
): Record<string, string> => ({ ...environment, K3S_NODE_NAME: nodeName });

/** A node's container is started again whenever it ends, but for when it was stopped. */
export const NODE_RESTART = 'unless-stopped';
