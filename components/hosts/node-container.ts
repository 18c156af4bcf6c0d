import type { NodeContainer } from '../../runtime/autoscaler/containers/worker-template';
import type { DockerClusterConfig } from '../config-schema';
import { SERVER_NODE_NAME, systemReserved } from '../plan';

/** Where agents find the server, by its name on the cluster's Docker network. */
const SERVER_URL = `https://${SERVER_NODE_NAME}:6443`;
const STOP_SECONDS = 30;

/** What a node may use of the machine. */
export interface NodeSize {
  readonly cpus: number;
  readonly memoryMb: number;
}

/** What the container of any node of a cluster is made of. @param command of k3s, without what the kubelet is told */
function nodeContainer(
  config: DockerClusterConfig,
  command: readonly string[],
  environment: Readonly<Record<string, string>>,
  size: NodeSize,
): NodeContainer {
  const { image, privileged, capabilities, securityOptions, devices, mounts, tmpfs } = config;
  const { cgroupnsMode, volumePaths, registries } = config;
  const reserved = systemReserved(config, size);
  return {
    ...{ image, privileged, securityOptions, devices, mounts, tmpfs, cgroupnsMode, volumePaths },
    ...{ capabilities: privileged ? [] : capabilities, environment: { ...environment } },
    ...{ cpus: size.cpus, memoryMb: size.memoryMb, stopSeconds: STOP_SECONDS },
    command: [
      ...command,
      ...(reserved === undefined ? [] : ['--kubelet-arg', `system-reserved=${reserved}`]),
    ],
    files:
      Object.keys(registries).length === 0
        ? {}
        : { '/etc/rancher/k3s/registries.yaml': JSON.stringify(registries, null, 2) },
  };
}

/** What the container of the server is made of. */
export const serverContainer = (config: DockerClusterConfig): NodeContainer =>
  nodeContainer(
    config,
    ['server', '--disable', 'traefik', '--disable', 'servicelb', '--tls-san', config.apiAddress],
    {},
    config.server,
  );

/** What the container of an agent is made of, be it of a configured node or of a worker of the autoscaler. */
export const agentContainer = (config: DockerClusterConfig, size: NodeSize): NodeContainer =>
  nodeContainer(config, ['agent'], { K3S_URL: SERVER_URL }, size);
