import * as docker from '@pulumi/docker';
import * as pulumi from '@pulumi/pulumi';
import type { DockerClusterConfig, NodeConfig } from '../config-schema';
import { SERVER_NODE_NAME } from '../plan';
import { dockerNode, nodeReadiness, nodeRegistration, serverKubeconfig } from './docker-node';
import { agentContainer, serverContainer } from './node-container';

export interface DockerClusterArgs {
  readonly docker: DockerClusterConfig;
  readonly nodes: readonly NodeConfig[];
  /** The volume of the server's datastore refuses to be deleted or replaced. */
  readonly protectDatastore?: boolean;
  /** Shared secret with which agents join. */
  readonly token: pulumi.Input<string>;
}

/** What else is to be made on the Docker engine of a cluster has to know. */
export interface DockerHosts {
  readonly config: DockerClusterConfig;
  /** Shared secret with which agents join. */
  readonly token: pulumi.Output<string>;
  /** Name of the cluster's network, which is there once this is known. */
  readonly network: pulumi.Output<string>;
  /** Name of the server's container. */
  readonly serverContainer: string;
  readonly server: pulumi.Resource;
}

/** A k3s server and its agents as containers on a network of one Docker engine. */
export class DockerCluster extends pulumi.ComponentResource {
  /** Cluster-admin kubeconfig, addressed for use from this machine (secret). */
  readonly kubeconfig: pulumi.Output<string>;
  /** What to depend on before using a node: its readiness, by node name. */
  readonly nodesReady: Readonly<Record<string, pulumi.Resource>>;
  readonly hosts: DockerHosts;

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
    const serverName = `${config.name}-server`;
    const server = dockerNode(
      `${name}-server`,
      {
        container: serverContainer(config),
        containerName: serverName,
        nodeName: SERVER_NODE_NAME,
        network,
        token,
        protectDatastore: args.protectDatastore === true,
        ports: [{ internal: 6443, external: config.apiPort, ip: config.apiAddress }],
      },
      inside,
    );
    this.kubeconfig = serverKubeconfig(`${name}-kubeconfig`, config, server, serverName, {
      parent: this,
    });

    const ready: Record<string, pulumi.Resource> = {};
    for (const node of args.nodes) {
      const size = {
        cpus: node.cpus ?? config.agent.cpus,
        memoryMb: node.memoryMb ?? config.agent.memoryMb,
      };
      const lifecycle = { docker: config, serverContainer: serverName, nodeName: node.name };
      const registration = nodeRegistration(`${name}-${node.name}-registration`, lifecycle, {
        parent: this,
        dependsOn: [server],
      });
      const container = dockerNode(
        `${name}-${node.name}`,
        {
          container: agentContainer(config, size),
          containerName: `${config.name}-${node.name}`,
          nodeName: node.name,
          network,
          token,
        },
        { ...inside, dependsOn: [server, registration] },
      );
      ready[node.name] = nodeReadiness(`${name}-${node.name}-ready`, lifecycle, container, {
        parent: this,
        dependsOn: [container],
      });
    }
    this.nodesReady = ready;
    this.hosts = { config, token, network: network.name, serverContainer: serverName, server };
    this.registerOutputs({ kubeconfig: this.kubeconfig });
  }
}
