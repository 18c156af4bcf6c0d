import { NODE_RESTART, nodeEnvironment, type WorkerMould } from './worker-template';

/** Labels of a worker's container. */
export const LABELS = {
  /** The estate whose autoscaler made it. */
  estate: 'berth.autoscaler',
  /** The operation that made it. */
  operation: 'berth.operation',
  /** The group under which Docker's tools show it. */
  project: 'com.docker.compose.project',
} as const;
const PROJECT = 'prototype';

const MIB = 1024 * 1024;
const NANO = 1e9;
/** An option of Docker's command line; the engine knows only what follows from it. */
const UNCONFINED_PATHS = 'systempaths=unconfined';

/** How the containers of an estate's workers are found: the filter of Docker's list. */
export const workerFilter = (estate: string): string[] => [`${LABELS.estate}=${estate}`];

/**
 * What the Docker engine is asked to create for a worker. The same worker and operation give the same body, so that what
 * guards Docker's socket can compare it with its own.
 */
export function workerBody(mould: WorkerMould, name: string, operation: string) {
  const { estate, network, container } = mould.template;
  const open = container.securityOptions.includes(UNCONFINED_PATHS);
  const env = { ...nodeEnvironment(container, name), K3S_TOKEN: mould.clusterToken };
  return {
    Image: container.image,
    Hostname: name,
    Cmd: container.command,
    Env: Object.entries(env).map(([key, value]) => `${key}=${value}`),
    Labels: {
      [LABELS.estate]: estate,
      [LABELS.operation]: operation,
      [LABELS.project]: PROJECT,
    },
    Volumes: Object.fromEntries(container.volumePaths.map((path) => [path, {}])),
    HostConfig: {
      NanoCpus: Math.round(container.cpus * NANO),
      Memory: container.memoryMb * MIB,
      Privileged: container.privileged,
      CapAdd: container.privileged ? [] : container.capabilities,
      SecurityOpt: container.securityOptions.filter((option) => option !== UNCONFINED_PATHS),
      ...(open ? { MaskedPaths: [], ReadonlyPaths: [] } : {}),
      Devices: container.devices.map(({ hostPath, containerPath }) => ({
        PathOnHost: hostPath,
        PathInContainer: containerPath,
        CgroupPermissions: 'rwm',
      })),
      Binds: container.mounts.map(
        ({ hostPath, containerPath, readOnly }) =>
          `${hostPath}:${containerPath}:${readOnly ? 'ro' : 'rw'}`,
      ),
      Tmpfs: Object.fromEntries(container.tmpfs.map((path) => [path, ''])),
      CgroupnsMode: container.cgroupnsMode,
      NetworkMode: network,
      RestartPolicy: { Name: NODE_RESTART },
    },
    NetworkingConfig: { EndpointsConfig: { [network]: { Aliases: [name] } } },
  };
}

export type WorkerBody = ReturnType<typeof workerBody>;
