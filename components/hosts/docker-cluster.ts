import * as docker from '@pulumi/docker';
import * as pulumi from '@pulumi/pulumi';
import type { DockerClusterConfig, NodeConfig } from '../config-schema';
import { systemReserved } from '../plan';
import { dockerNode, nodeReadiness, nodeRegistration, serverKubeconfig } from './docker-node';

export interface DockerClusterArgs {
  readonly docker: DockerClusterConfig;
  readonly nodes: readonly NodeConfig[];
  /** Shared secret with which agents join. */
  readonly token: pulumi.Input<string>;
}

/** A k3s server and its agents as containers on a network of one Docker engine. */
export class DockerCluster extends pulumi.ComponentResource {
  /** Cluster-admin kubeconfig, addressed for use from this machine (secret). */
  readonly kubeconfig: pulumi.Output<string>;
  /** What to depend on before using a node: its readiness, by node name. */
  readonly nodesReady: Readonly<Record<string, pulumi.Resource>>;

  constructor(name: string, args: DockerClusterArgs, options?: pulumi.ComponentResourceOptions) {
    super('berth:hosts:DockerCluster', name, {}, options);
    const config = args.docker;
    const provider =
      config.host === ''
        ? undefined
        : new docker.Provider(`${name}-docker`, { host: config.host }, { parent: this });
    const inside = { parent: this, ...(provider === undefined ? {} : { provider }) };
    const network = new docker.Network(`${name}-network`, { name: config.name }, inside);
    const token = pulumi.secret(args.token);
    const kubeletArgs = (size: { cpus: number; memoryMb: number }) => {
      const reserved = systemReserved(config, size);
      return reserved === undefined ? [] : ['--kubelet-arg', `system-reserved=${reserved}`];
    };

    const serverContainer = `${config.name}-server`;
    const server = dockerNode(
      `${name}-server`,
      {
        docker: config,
        containerName: serverContainer,
        nodeName: 'server',
        network,
        command: [
          'server',
          ...['--disable', 'traefik', '--disable', 'servicelb'],
          ...['--tls-san', config.apiAddress],
          ...kubeletArgs(config.server),
        ],
        environment: { K3S_TOKEN: token, K3S_NODE_NAME: 'server' },
        cpus: config.server.cpus,
        memoryMb: config.server.memoryMb,
        ports: [{ internal: 6443, external: config.apiPort, ip: config.apiAddress }],
      },
      inside,
    );
    this.kubeconfig = serverKubeconfig(`${name}-kubeconfig`, config, server, serverContainer, {
      parent: this,
    });

    const ready: Record<string, pulumi.Resource> = {};
    for (const node of args.nodes) {
      const size = {
        cpus: node.cpus ?? config.agent.cpus,
        memoryMb: node.memoryMb ?? config.agent.memoryMb,
      };
      const lifecycle = { docker: config, serverContainer, nodeName: node.name };
      const registration = nodeRegistration(`${name}-${node.name}-registration`, lifecycle, {
        parent: this,
        dependsOn: [server],
      });
      const container = dockerNode(
        `${name}-${node.name}`,
        {
          docker: config,
          containerName: `${config.name}-${node.name}`,
          nodeName: node.name,
          network,
          command: ['agent', ...kubeletArgs(size)],
          environment: {
            K3S_TOKEN: token,
            K3S_URL: 'https://server:6443',
            K3S_NODE_NAME: node.name,
          },
          ...size,
        },
        { ...inside, dependsOn: [server, registration] },
      );
      ready[node.name] = nodeReadiness(`${name}-${node.name}-ready`, lifecycle, container, {
        parent: this,
        dependsOn: [container],
      });
    }
    this.nodesReady = ready;
    this.registerOutputs({ kubeconfig: this.kubeconfig });
  }
}
