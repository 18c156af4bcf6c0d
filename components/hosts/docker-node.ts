import * as command from '@pulumi/command';
import * as docker from '@pulumi/docker';
import * as pulumi from '@pulumi/pulumi';
import {
  NODE_RESTART,
  nodeEnvironment,
  type NodeContainer,
} from '../../runtime/autoscaler/containers/worker-template';
import type { DockerClusterConfig } from '../config-schema';

/** What every container of a Docker cluster is made with. */
export interface DockerNodeArgs {
  readonly container: NodeContainer;
  /** Name of the container and of its volumes. */
  readonly containerName: string;
  /** Name of the Kubernetes node. */
  readonly nodeName: string;
  readonly network: docker.Network;
  /** Shared secret with which agents join. */
  readonly token: pulumi.Input<string>;
  /** The volume in which a server has its datastore refuses to be deleted or replaced. */
  readonly protectDatastore?: boolean;
  readonly ports?: readonly { internal: number; external: number; ip: string }[];
}

/**
 * The container of one k3s node, with volumes for its state. Everything that the container is made of is part
 * of its identity: a change replaces it, the old one first, since both have the same name.
 */
export function dockerNode(
  name: string,
  args: DockerNodeArgs,
  options: pulumi.CustomResourceOptions,
): docker.Container {
  const { container } = args;
  const volumes = container.volumePaths.map((containerPath) => {
    const suffix = containerPath.slice(1).replaceAll('/', '-');
    const volume = new docker.Volume(
      `${name}-${suffix}`,
      { name: `${args.containerName}-${suffix}` },
      {
        ...options,
        dependsOn: [],
        ...(args.protectDatastore && holdsDatastore(containerPath) ? { protect: true } : {}),
      },
    );
    return { volumeName: volume.name, containerPath };
  });
  const environment = { K3S_TOKEN: args.token, ...nodeEnvironment(container, args.nodeName) };
  return new docker.Container(
    name,
    {
      name: args.containerName,
      hostname: args.nodeName,
      image: container.image,
      command: container.command,
      envs: Object.entries(environment).map(([key, value]) => pulumi.interpolate`${key}=${value}`),
      networksAdvanced: [{ name: args.network.name, aliases: [args.nodeName] }],
      volumes: [...volumes, ...container.mounts],
      uploads: Object.entries(container.files).map(([file, content]) => ({ file, content })),
      ports: (args.ports ?? []).map((port) => ({ ...port, protocol: 'tcp' })),
      cpus: String(container.cpus),
      memory: container.memoryMb,
      privileged: container.privileged,
      ...(container.privileged ? {} : { capabilities: { adds: container.capabilities } }),
      securityOpts: container.securityOptions,
      devices: container.devices.map((device) => ({ ...device, permissions: 'rwm' })),
      tmpfs: Object.fromEntries(container.tmpfs.map((path) => [path, ''])),
      cgroupnsMode: container.cgroupnsMode,
      restart: NODE_RESTART,
      destroyGraceSeconds: container.stopSeconds,
    },
    { ...options, deleteBeforeReplace: true, replaceOnChanges: ['envs', 'command', 'uploads'] },
  );
}

/** Where a k3s server keeps its datastore. */
const DATASTORE = '/var/lib/rancher/k3s/server/db/';

const holdsDatastore = (folder: string): boolean =>
  DATASTORE.startsWith(`${folder.replace(/\/+$/, '')}/`);

/** Environment of a command that talks to the cluster's Docker engine. */
export function dockerEnvironment(config: DockerClusterConfig): Record<string, string> {
  return config.host === '' ? {} : { DOCKER_HOST: config.host };
}

/** A shell loop that awaits a condition and gives up, with the container's last words, after a time. */
function awaitInContainer(
  container: string,
  condition: string,
  what: string,
  seconds: number,
): string {
  return [
    `deadline=$(( $(date +%s) + ${seconds} ))`,
    `until ${condition} >/dev/null 2>&1; do`,
    `  if [ "$(date +%s)" -ge "$deadline" ]; then`,
    `    echo "${what} within ${seconds} s; last lines of docker logs ${container}:" >&2`,
    `    docker logs --tail 20 ${container} >&2; exit 1`,
    `  fi`,
    `  sleep 0.5`,
    `done`,
  ].join('\n');
}

/** Awaits the API server in a server's container and yields its kubeconfig, addressed for use from outside. */
export function serverKubeconfig(
  name: string,
  config: DockerClusterConfig,
  container: docker.Container,
  containerName: string,
  options: pulumi.CustomResourceOptions,
): pulumi.Output<string> {
  const kubectl = `docker exec ${containerName} kubectl`;
  const read = new command.local.Command(
    name,
    {
      create: [
        awaitInContainer(
          containerName,
          `${kubectl} get --raw /readyz`,
          'the API server did not become ready',
          config.readyTimeoutSeconds,
        ),
        `docker exec ${containerName} cat /etc/rancher/k3s/k3s.yaml`,
      ].join('\n'),
      environment: dockerEnvironment(config),
      logging: command.local.Logging.Stderr,
      triggers: [container.id],
    },
    { ...options, additionalSecretOutputs: ['stdout'] },
  );
  const address = config.apiAddress.includes(':') ? `[${config.apiAddress}]` : config.apiAddress;
  return pulumi.secret(
    read.stdout.apply((text) =>
      text.replace(/server: https:\/\/\S+/, `server: https://${address}:${config.apiPort}`),
    ),
  );
}

/** How a Docker agent is known to its server. */
export interface AgentLifecycleArgs {
  readonly docker: DockerClusterConfig;
  readonly serverContainer: string;
  readonly nodeName: string;
}

const ifServerRuns = (server: string): string =>
  `[ "$(docker inspect -f '{{.State.Running}}' ${server} 2>/dev/null)" = true ] || exit 0`;

/**
 * Forgets the node when its container has gone: made before the container and so deleted after it.
 */
export function nodeRegistration(
  name: string,
  args: AgentLifecycleArgs,
  options: pulumi.CustomResourceOptions,
): command.local.Command {
  const kubectl = `docker exec ${args.serverContainer} kubectl`;
  return new command.local.Command(
    name,
    {
      create: 'true',
      delete: [
        ifServerRuns(args.serverContainer),
        `${kubectl} delete node ${args.nodeName} --ignore-not-found --timeout=60s`,
        `${kubectl} -n kube-system delete secret ${args.nodeName}.node-password.k3s --ignore-not-found`,
      ].join('\n'),
      environment: dockerEnvironment(args.docker),
    },
    options,
  );
}

/**
 * Awaits that the node is Ready; deleted before the container, it drains the node by eviction.
 * A node that cannot be drained in time fails the deletion, and is uncordoned again so that it goes on working.
 */
export function nodeReadiness(
  name: string,
  args: AgentLifecycleArgs,
  container: docker.Container,
  options: pulumi.CustomResourceOptions,
): command.local.Command {
  const { docker: config, nodeName, serverContainer } = args;
  const kubectl = `docker exec ${serverContainer} kubectl`;
  return new command.local.Command(
    name,
    {
      create: awaitInContainer(
        `${config.name}-${nodeName}`,
        `${kubectl} wait --for=condition=Ready node/${nodeName} --timeout=5s`,
        `node ${nodeName} did not become Ready`,
        config.readyTimeoutSeconds,
      ),
      delete: [
        ifServerRuns(serverContainer),
        `${kubectl} get node ${nodeName} >/dev/null 2>&1 || exit 0`,
        `${kubectl} drain ${nodeName} --ignore-daemonsets --delete-emptydir-data --force --timeout=${config.drainTimeoutSeconds}s || {`,
        `  ${kubectl} uncordon ${nodeName}`,
        `  echo "${nodeName} was not drained within ${config.drainTimeoutSeconds} s (see above) and was left in place" >&2; exit 1`,
        `}`,
      ].join('\n'),
      environment: dockerEnvironment(config),
      triggers: [container.id],
    },
    options,
  );
}
