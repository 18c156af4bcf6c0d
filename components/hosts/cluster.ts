import * as kubernetes from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import type { EstateConfig } from '../config';
import { DockerCluster, type DockerHosts } from './docker-cluster';
import { SshCluster } from './ssh-cluster';

/** The secrets of a stack that a cluster needs. */
export interface ClusterSecrets {
  readonly token: pulumi.Output<string> | undefined;
  readonly kubeconfig: pulumi.Output<string> | undefined;
  readonly agentToken?: pulumi.Output<string> | undefined;
  /** Key that hosts let in which have none of their own. */
  readonly sshPrivateKey?: pulumi.Output<string> | undefined;
  /** Keys of hosts that have one of their own, by host. */
  readonly hostKeys?: Readonly<Record<string, pulumi.Output<string>>> | undefined;
}

/** The cluster that everything else is declared on, however it came to be. */
export interface Cluster {
  readonly provider: kubernetes.Provider;
  /** Cluster-admin kubeconfig (secret). */
  readonly kubeconfig: pulumi.Output<string>;
  /** What to depend on before using a node, by node name; empty for nodes that were there already. */
  readonly nodesReady: Readonly<Record<string, pulumi.Resource>>;
  /** The Docker engine that its nodes are containers of; undefined where they are not. */
  readonly dockerHosts?: DockerHosts | undefined;
}

/** Makes the configured cluster, or takes the existing one. */
export function declareCluster(config: EstateConfig, secrets: ClusterSecrets): Cluster {
  const made = makeHosts(config, secrets);
  const provider = new kubernetes.Provider('cluster', {
    kubeconfig: made.kubeconfig,
    enableServerSideApply: true,
    // A renewed certificate changes the kubeconfig but not the cluster: only this says that it is another one.
    clusterIdentifier:
      config.cluster.kind === 'docker' ? config.cluster.docker.name : config.cluster.kind,
    ...(config.cluster.kind === 'existing' && config.cluster.existing.context !== ''
      ? { context: config.cluster.existing.context }
      : {}),
  });
  return { provider, ...made };
}

function makeHosts(config: EstateConfig, secrets: ClusterSecrets) {
  if (config.cluster.kind === 'existing') {
    if (secrets.kubeconfig === undefined) throw new Error('berth:kubeconfig is not set');
    return { kubeconfig: secrets.kubeconfig, nodesReady: {} };
  }
  if (secrets.token === undefined) throw new Error('berth:clusterToken is not set');
  if (config.cluster.kind === 'ssh') return makeSshHosts(config, secrets, secrets.token);
  const cluster = new DockerCluster('cluster', {
    docker: config.cluster.docker,
    nodes: config.nodes,
    protectDatastore: config.protect === 'datastores',
    token: secrets.token,
  });
  return {
    kubeconfig: cluster.kubeconfig,
    nodesReady: cluster.nodesReady,
    dockerHosts: cluster.hosts,
  };
}

function makeSshHosts(
  { cluster: { ssh }, protect }: EstateConfig,
  { agentToken, sshPrivateKey: privateKey, hostKeys: privateKeys = {} }: ClusterSecrets,
  token: pulumi.Output<string>,
) {
  if (agentToken === undefined) throw new Error('berth:agentToken is not set');
  const cluster = new SshCluster('cluster', {
    ...{ ssh, token, agentToken, privateKey, privateKeys },
    protectDatastore: protect === 'datastores',
  });
  return { kubeconfig: cluster.kubeconfig, nodesReady: cluster.nodesReady };
}
