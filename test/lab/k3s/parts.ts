import { fetchNode } from '../images/node-image';
import { ensureRootfs } from '../images/rootfs';
import { ensurePrograms } from '../programs';
import type { Reporter } from '../report';

const binaries = [
  ...(['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubelet'] as const),
  ...(['kube-proxy', 'network-policies', 'containerd'] as const),
  ...(['containerd-shim-runc-v2', 'ctr'] as const),
] as const;

/** Debian packages of a node's root. */
export const K3S_PACKAGES = [
  ...['containernetworking-plugins', 'coreutils', 'dash', 'etcd-server', 'grep', 'iproute2'],
  ...[
    'ipset',
    'iptables',
    'kmod',
    'libstdc++6',
    'mount',
    'openssl',
    'procps',
    'runc',
    'sed',
    'tini',
    'util-linux',
  ],
];

/** What the image is made of, besides the entrypoint. */
export interface ImageParts {
  /** A tar file whose name changes with its content. */
  rootfs: string;
  /** Path inside the image -> file on this machine, whose path changes with its content. */
  programs: Readonly<Record<string, string>>;
}

/** Gets all parts of the image into the cache, side by side. */
export async function ensureParts(reporter: Reporter): Promise<ImageParts> {
  const arch = process.arch === 'arm64' ? 'arm64' : 'amd64';
  const [rootfs, { kubectl, ...programs }, node] = await Promise.all([
    ensureRootfs({ name: 'k3s', arch, packages: K3S_PACKAGES }, reporter),
    ensurePrograms([...binaries, 'kubectl'], reporter),
    fetchNode(arch, reporter),
  ]);
  const inside = Object.entries(programs).map(([name, file]) => [`usr/local/bin/${name}`, file]);
  return {
    rootfs,
    programs: {
      ...(Object.fromEntries(inside) as Record<string, string>),
      'usr/local/libexec/kubectl': kubectl,
      'usr/local/bin/node': node,
    },
  };
}
