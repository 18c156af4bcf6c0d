/** Where things are inside a node container. The data directory is k3s's own, and a volume. */
const data = '/var/lib/rancher/k3s';

export const paths = {
  data,
  pki: `${data}/server/tls`,
  /** Data of a lone server, where k3s has SQLite's. */
  etcd: `${data}/server/db`,
  /** Data of a member of embedded etcd. */
  etcdMember: `${data}/server/db/etcd`,
  /** There once this server's member was taken out of etcd: its data are worth nothing. */
  etcdTombstone: `${data}/server/db/etcd/tombstone`,
  snapshots: `${data}/server/db/snapshots`,
  nodeToken: `${data}/server/node-token`,
  agentToken: `${data}/server/agent-token`,
  manifests: `${data}/server/manifests`,
  shippedManifests: '/usr/local/share/k3s/manifests',
  agent: `${data}/agent`,
  containerdRoot: `${data}/agent/containerd`,
  containerdState: '/run/k3s/containerd',
  containerdSocket: '/run/k3s/containerd/containerd.sock',
  containerdConfig: `${data}/agent/etc/containerd/config.toml`,
  certsDirectory: `${data}/agent/etc/containerd/certs.d`,
  cniConfigDirectory: `${data}/agent/etc/cni/net.d`,
  cniBinaries: '/usr/lib/cni',
  kubelet: '/var/lib/kubelet',
  kubeletConfig: `${data}/agent/etc/kubelet.yaml`,
  resolvConf: `${data}/agent/etc/resolv.conf`,
  nodePassword: '/etc/rancher/node/password',
  registries: '/etc/rancher/k3s/registries.yaml',
  kubeconfig: '/etc/rancher/k3s/k3s.yaml',
} as const;
