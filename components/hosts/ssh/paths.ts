/** Where k3s has its things on a host. All are k3s's own places but the last two. */
export const PATHS = {
  binary: '/usr/local/bin/k3s',
  config: '/etc/rancher/k3s/config.yaml',
  registries: '/etc/rancher/k3s/registries.yaml',
  kubeconfig: '/etc/rancher/k3s/k3s.yaml',
  images: '/var/lib/rancher/k3s/agent/images',
  /** Written by a server: the agent token in its full form. */
  fullAgentToken: '/var/lib/rancher/k3s/server/agent-token',
  /** On a server that is one of several; in it, the file `tombstone` once it was taken out of etcd. */
  etcd: '/var/lib/rancher/k3s/server/db/etcd',
  /** What a host joins with: root's alone. */
  token: '/etc/rancher/k3s/token',
  /** What a server lets agents join with: root's alone. */
  agentToken: '/etc/rancher/k3s/agent-token',
  /** Hash of what k3s was last started with. */
  applied: '/etc/rancher/k3s/berth-applied',
  /** Held while a script of ours changes the host. */
  lock: '/run/berth-k3s.lock',
} as const;

export type HostRole = 'server' | 'agent';

/** The systemd unit of a role, as k3s's own installer names it. */
export const unitOf = (role: HostRole): string => (role === 'server' ? 'k3s' : 'k3s-agent');
