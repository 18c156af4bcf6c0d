import { mkdir, readFile, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { cniConfig } from './cni-config';
import { containerdConfig } from './containerd-config';
import { serveDnsToPods } from './dns-forwarder';
import { addressAt, type NodeOptions } from './flags';
import type { JoinAnswer } from './join-protocol';
import { KubeClient } from './kube-client';
import { kubeconfig } from './kubeconfig';
import { kubeletConfig } from './kubelet-config';
import { log } from './log';
import { paths } from './paths';
import { writePrivate } from './pki';
import { hostsToml } from './registries';
import { followNodes, masquerade, routeKeeper, type NodeObject } from './nodes';
import type { Supervisor } from './supervisor';
import { waitFor } from './wait-for';

const pauseImage = 'registry.k8s.io/pause:3.10';
const agentFile = (name: string): string => `${paths.agent}/${name}`;

function connectable(socket: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = connect(socket, () => (probe.destroy(), resolve()));
    probe.on('error', reject);
  });
}

/** Starts containerd and returns when it answers. */
export async function startContainerd(supervisor: Supervisor): Promise<void> {
  const registries = existsSync(paths.registries) ? await readFile(paths.registries, 'utf8') : '';
  await rm(paths.certsDirectory, { recursive: true, force: true });
  await mkdir(paths.certsDirectory, { recursive: true });
  for (const [registry, text] of hostsToml(registries))
    await writePrivate(
      `${paths.certsDirectory}/${registry.replace(/:(\d+)$/, '_$1_')}/hosts.toml`,
      text,
    );
  await writePrivate(paths.containerdConfig, containerdConfig(pauseImage));
  supervisor.start('containerd', 'containerd', [
    '--config',
    paths.containerdConfig,
    '--log-level=warn',
  ]);
  await waitFor('containerd', () => connectable(paths.containerdSocket));
}

function kubeletArgs(options: NodeOptions, nodeAddress: string): string[] {
  return [
    `--config=${paths.kubeletConfig}`,
    `--kubeconfig=${agentFile('kubelet.kubeconfig')}`,
    `--hostname-override=${options.nodeName}`,
    `--node-ip=${nodeAddress}`,
    `--provider-id=k3s://${options.nodeName}`,
    `--root-dir=${paths.kubelet}`,
    `--node-labels=${['node.kubernetes.io/instance-type=k3s', ...options.nodeLabels].join(',')}`,
    ...(options.nodeTaints.length > 0
      ? [`--register-with-taints=${options.nodeTaints.join(',')}`]
      : []),
    // The node's own usage, which Berth schedules by, must be no older than a few seconds.
    '--housekeeping-interval=2s',
    ...options.kubeletArgs.map((arg) => `--${arg}`),
  ];
}

function kubeProxyArgs(options: NodeOptions, clusterCidr: string): string[] {
  return [
    `--kubeconfig=${agentFile('kube-proxy.kubeconfig')}`,
    `--hostname-override=${options.nodeName}`,
    `--cluster-cidr=${clusterCidr}`,
    '--proxy-mode=iptables',
    '--bind-address=127.0.0.1',
    '--oom-score-adj=0',
    // Connection tracking has limits of the whole machine, which are not this container's to set.
    '--conntrack-max-per-core=0',
    '--conntrack-tcp-timeout-established=0s',
    '--conntrack-tcp-timeout-close-wait=0s',
  ];
}

/** What a node knows of itself before it is part of a cluster. */
export interface NodeContext {
  options: NodeOptions;
  nodeAddress: string;
  /** The container's own cgroup. */
  cgroup: string;
  /** Ends what follows the cluster in the background. */
  signal: AbortSignal;
}

/** And with it: who it is to the cluster, and where that is. */
export interface NodeStart extends NodeContext {
  identity: JoinAnswer;
  apiUrl: string;
}

/** Starts the kubelet and kube-proxy and keeps the node's network; containerd is already there. */
export async function startNode(supervisor: Supervisor, start: NodeStart): Promise<void> {
  const { options, identity, apiUrl, nodeAddress, signal } = start;
  await writePrivate(agentFile('ca.crt'), identity.ca, 0o644);
  await writePrivate(agentFile('kubelet-serving.crt'), identity.kubeletServing.cert);
  await writePrivate(agentFile('kubelet-serving.key'), identity.kubeletServing.key);
  for (const [name, pair] of [
    ['kubelet', identity.kubelet],
    ['kube-proxy', identity.kubeProxy],
    ['k3scontroller', identity.controller],
  ] as const) {
    const text = kubeconfig({ server: apiUrl, ca: identity.ca, ...pair });
    await writePrivate(agentFile(`${name}.kubeconfig`), text);
  }
  await writePrivate(
    paths.kubeletConfig,
    kubeletConfig({
      cgroupRoot: start.cgroup,
      clusterDns: addressAt(identity.serviceCidr, 10),
      caFile: agentFile('ca.crt'),
      servingCert: agentFile('kubelet-serving.crt'),
      servingKey: agentFile('kubelet-serving.key'),
    }),
  );
  await serveDnsToPods(nodeAddress);
  await mkdir(paths.cniConfigDirectory, { recursive: true });
  supervisor.start('kubelet', 'kubelet', kubeletArgs(options, nodeAddress));
  supervisor.start('kube-proxy', 'kube-proxy', kubeProxyArgs(options, identity.clusterCidr));
  const client = new KubeClient({ server: apiUrl, ca: identity.ca, ...identity.kubeProxy });
  const onRange = () => {
    if (identity.enforcesNetworkPolicies) startNetworkPolicies(supervisor, start);
  };
  void followNodes(client, signal, podNetwork(options.nodeName, identity.clusterCidr, onRange));
}

/** Has this node, which is known to the cluster by now, enforce the policies of its pods. */
function startNetworkPolicies(supervisor: Supervisor, { options, identity }: NodeStart): void {
  supervisor.start('network-policies', 'network-policies', [
    `--kubeconfig=${agentFile('k3scontroller.kubeconfig')}`,
    `--hostname-override=${options.nodeName}`,
    `--service-cluster-ip-range=${identity.serviceCidr}`,
  ]);
}

/** Gives this node its pod network once its range is known, just before the first pod, and keeps the routes to the others. */
function podNetwork(self: string, clusterCidr: string, onFirstRange: () => void) {
  const keepRoutes = routeKeeper(self);
  let range: string | undefined;
  return async (nodes: ReadonlyMap<string, NodeObject>): Promise<void> => {
    const podCidr = nodes.get(self)?.spec?.podCIDR;
    if (podCidr !== undefined && podCidr !== range) {
      if (range === undefined) onFirstRange();
      await masquerade(podCidr, clusterCidr);
      await writePrivate(`${paths.cniConfigDirectory}/10-k3s.conflist`, cniConfig(podCidr));
      range = podCidr;
      log(`pods get addresses of ${podCidr}`);
    }
    await keepRoutes(nodes);
  };
}
