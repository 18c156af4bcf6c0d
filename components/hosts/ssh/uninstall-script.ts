import { PATHS, unitOf } from './paths';

/** Folders below which k3s and its pods have mounts. */
const MOUNTS = ['/run/k3s', '/var/lib/rancher/k3s', '/var/lib/kubelet', '/run/netns/cni-'];
const INTERFACES = ['cni0', 'flannel.1', 'flannel-v6.1', 'kube-ipvs0'];
const FOLDERS = [
  ...['/etc/rancher/k3s', '/etc/rancher/node', '/run/k3s', '/run/flannel'],
  ...['/var/lib/rancher/k3s', '/var/lib/kubelet', '/var/lib/cni'],
];

/** What goes: an agent, or a server, which may be a member of etcd. */
export type Uninstalled =
  | { readonly role: 'agent' }
  | { readonly role: 'server'; readonly node: string; readonly readyTimeoutSeconds: number };

/**
 * A POSIX shell script that takes k3s and all that it made off a host, as k3s's own uninstaller does: the service, pods
 * that outlive it, mounts, network interfaces, packet filter rules, files. Run again it finds nothing to do.
 */
export function uninstallScript(what: Uninstalled): string {
  const unit = unitOf(what.role);
  return [
    `set -eu`,
    `fail() { echo "$1" >&2; exit 1; }`,
    `exec 9>${PATHS.lock}`,
    `flock -w 600 9 || fail "another run is still at work on this host"`,
    ...(what.role === 'server' ? leaveEtcd(what) : []),
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

const KUBECTL = `${PATHS.binary} kubectl --request-timeout=10s`;
const ANNOTATION = 'etcd.k3s.cattle.io';

/**
 * A member of etcd leaves while it still runs and others do: the vote of one that is stopped first counts as missing, so
 * the last two of three could never be left. k3s would join again when it is restarted, so systemd may not do that.
 */
function leaveEtcd({ node, readyTimeoutSeconds: seconds }: Uninstalled & { role: 'server' }) {
  const service = `/etc/systemd/system/${unitOf('server')}.service`;
  const restart = (policy: string) =>
    `sed -i 's/^Restart=.*/Restart=${policy}/' ${service} && systemctl daemon-reload`;
  const removed = `${KUBECTL} get node ${node} -o 'jsonpath={.metadata.annotations.${ANNOTATION.replaceAll('.', '\\.')}/removed-node-name}' 2>/dev/null || true`;
  return [
    `if [ -d ${PATHS.etcd} ] && systemctl is-active --quiet k3s; then`,
    `  members=$(${KUBECTL} get nodes -l node-role.kubernetes.io/etcd=true -o name) ||`,
    `    fail "k3s runs on this host and its API does not answer, so that ${node} cannot leave the other servers: mend that, or stop it there (systemctl stop k3s) to have it uninstalled all the same"`,
    `  if echo "$members" | grep -qx node/${node} && echo "$members" | grep -qvx node/${node}; then`,
    `    ${restart('no')}`,
    `    ${KUBECTL} annotate node ${node} ${ANNOTATION}/remove=true --overwrite`,
    `    deadline=$(($(date +%s) + ${seconds}))`,
    `    until [ -e ${PATHS.etcd}/tombstone ] || [ -n "$(${removed})" ] || ! systemctl is-active --quiet k3s; do`,
    `      [ "$(date +%s)" -lt "$deadline" ] || {`,
    `        ${KUBECTL} annotate node ${node} ${ANNOTATION}/remove- || true`,
    `        ${restart('always')}`,
    `        fail "${node} did not leave etcd within ${seconds} s: it goes on as a server"`,
    `      }`,
    `      sleep 1`,
    `    done`,
    `  fi`,
    `fi`,
  ];
}
