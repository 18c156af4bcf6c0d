import { PATHS, unitOf, type HostRole } from './paths';

/** Folders below which k3s and its pods have mounts. */
const MOUNTS = ['/run/k3s', '/var/lib/rancher/k3s', '/var/lib/kubelet', '/run/netns/cni-'];
const INTERFACES = ['cni0', 'flannel.1', 'flannel-v6.1', 'kube-ipvs0'];
const FOLDERS = [
  ...['/etc/rancher/k3s', '/etc/rancher/node', '/run/k3s', '/run/flannel'],
  ...['/var/lib/rancher/k3s', '/var/lib/kubelet', '/var/lib/cni'],
];

/**
 * A POSIX shell script that takes k3s and all that it made off a host, as k3s's own uninstaller does: the service, pods
 * that outlive it, mounts, network interfaces, packet filter rules, files. Run again it finds nothing to do.
 */
export function uninstallScript(role: HostRole): string {
  const unit = unitOf(role);
  return [
    `set -eu`,
    `exec 9>${PATHS.lock}`,
    `flock -w 600 9 || { echo "another run is still at work on this host" >&2; exit 1; }`,
    `systemctl disable --now --quiet ${unit} 2>/dev/null || systemctl stop ${unit} 2>/dev/null || true`,
    `rm -f /etc/systemd/system/${unit}.service`,
    `systemctl daemon-reload`,
    // Pods are the children of containerd's shims, which name k3s's socket.
    `# shellcheck disable=SC2046`,
    `tree() { for pid in "$@"; do echo "$pid"; tree $(ps -e -o pid= -o ppid= | awk -v p="$pid" '$2 == p { print $1 }'); done; }`,
    `shims() { ps -e -o pid= -o args= | awk '/containerd-shim/ && /k3s\\/containerd/ && !/awk/ { print $1 }'; }`,
    `# shellcheck disable=SC2046`,
    `for pid in $(tree $(shims)); do kill -9 "$pid" 2>/dev/null || true; done`,
    `for folder in ${MOUNTS.join(' ')}; do`,
    `  awk -v f="$folder" 'index($2, f) == 1 { print $2 }' /proc/self/mounts | sort -r |`,
    `    while read -r mounted; do umount -l "$mounted" 2>/dev/null || true; done`,
    `done`,
    `if command -v ip >/dev/null; then`,
    `  for one in $(ip netns list 2>/dev/null | awk '/^cni-/ { print $1 }'); do ip netns delete "$one" || true; done`,
    `  for one in ${INTERFACES.join(' ')}; do ip link delete "$one" 2>/dev/null || true; done`,
    `fi`,
    `for kind in iptables ip6tables; do`,
    `  command -v "$kind-save" >/dev/null || continue`,
    `  "$kind-save" 2>/dev/null | grep -v KUBE- | grep -v CNI- | grep -iv flannel | "$kind-restore" 2>/dev/null || true`,
    `done`,
    `rm -rf ${FOLDERS.join(' ')}`,
    `if [ "$(readlink /usr/local/bin/kubectl || true)" = k3s ]; then rm -f /usr/local/bin/kubectl; fi`,
    `rm -f ${PATHS.binary} ${PATHS.lock}`,
  ].join('\n');
}
