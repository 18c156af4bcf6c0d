import type { SshClusterConfig, SshHost } from '../../config-schema';
import { nodeLabels } from '../../plan';
import type { InstallSettings } from './install-script';
import { PATHS } from './paths';

/** Domains whose labels a kubelet may not give its own node, or only some of them. */
const RESERVED = /(^|\.)(kubernetes|k8s)\.io\//;

/** Where servers and agents join: the first server of the configuration. */
export const apiServerUrl = (first: SshHost): string => `https://${first.address}:6443`;

/** k3s's config.yaml of a host. Tokens are in files of their own, which only root reads. */
export function k3sConfig(host: SshHost, servers: readonly SshHost[]): Record<string, unknown> {
  const [first = host] = servers;
  const labels = Object.entries(nodeLabels(host))
    .filter(([key]) => !RESERVED.test(key))
    .map(([key, value]) => `${key}=${value}`)
    .sort();
  const common = {
    'node-name': host.name,
    'token-file': PATHS.token,
    // At registration only, so that no work comes to a node before it has its labels; NodeSlots keeps them.
    ...(labels.length > 0 ? { 'node-label': labels } : {}),
  };
  if (host.role === 'agent') return { server: apiServerUrl(first), ...common };
  const many = servers.length > 1;
  return {
    ...(many && host === first ? { 'cluster-init': true } : {}),
    ...(host === first ? {} : { server: apiServerUrl(first) }),
    ...common,
    'agent-token-file': PATHS.agentToken,
    'tls-san': [...new Set(servers.map(({ address }) => address))],
    disable: ['traefik', 'servicelb'],
    'write-kubeconfig-mode': '0600',
  };
}

/** What the install script of a host makes of it. */
export function installSettings(ssh: SshClusterConfig, host: SshHost): InstallSettings {
  const { version, airGap } = ssh;
  const { arch, role } = host;
  const suffix = arch === 'amd64' ? '' : `-${arch}`;
  const local = airGap.directory !== '';
  const release = `${ssh.mirror.replace(/\/$/, '')}/${encodeURIComponent(version)}`;
  const key = 'berth:cluster.ssh';
  return {
    ...{ role, arch, version },
    binary: {
      from: `${local ? airGap.directory : release}/k3s${suffix}`,
      sha256: ssh.sha256[arch] ?? '',
      sha256Key: `${key}.sha256.${arch}`,
    },
    images: local
      ? {
          from: `${airGap.directory}/k3s-airgap-images-${arch}.tar.zst`,
          sha256: airGap.imagesSha256[arch] ?? '',
          sha256Key: `${key}.airGap.imagesSha256.${arch}`,
        }
      : undefined,
    config: k3sConfig(
      host,
      ssh.hosts.filter((one) => one.role === 'server'),
    ),
    registries: ssh.registries,
    readyTimeoutSeconds: ssh.readyTimeoutSeconds,
  };
}
