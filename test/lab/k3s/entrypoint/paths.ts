/** Where things are inside a node container. The data directory is k3s's own, and a volume. */
const data = '/var/lib/rancher/k3s';

export const paths = {
  data,
  pki: `${data}/server/tls`,
  etcd: `${data}/server/db`,
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
