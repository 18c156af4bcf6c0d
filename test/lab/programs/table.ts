import path from 'node:path';

/** Programs of one Go module: its go.mod pins them, with a `tool` line each. */
export interface ProgramGroup {
  /** Folder under `go/` with go.mod and go.sum. */
  readonly module: string;
  /** Import path of each program, by its name in the cache; Go names the binary by the path's last element but for a major version. */
  readonly programs: Readonly<Record<string, string>>;
  readonly tags?: readonly string[];
  /** Values set at link time: import path and name of a variable, to text. */
  readonly set?: Readonly<Record<string, string>>;
}

/** The folder with one Go module per group. */
export const MODULES_DIR = path.join(__dirname, 'go');

const KUBERNETES = 'k8s.io/kubernetes/cmd';
const CONTAINERD = 'github.com/containerd/containerd/v2';

/** Every program that the lab builds. One go.mod for all of them does not resolve, hence the groups. */
export const PROGRAM_GROUPS = [
  {
    module: 'kubernetes',
    programs: {
      'kube-apiserver': `${KUBERNETES}/kube-apiserver`,
      kubelet: `${KUBERNETES}/kubelet`,
      'kube-controller-manager': `${KUBERNETES}/kube-controller-manager`,
      'kube-scheduler': `${KUBERNETES}/kube-scheduler`,
      'kube-proxy': `${KUBERNETES}/kube-proxy`,
      kubectl: `${KUBERNETES}/kubectl`,
    },
    set: {
      'k8s.io/component-base/version.gitVersion': 'v1.36.3',
      'k8s.io/component-base/version.gitMajor': '1',
      'k8s.io/component-base/version.gitMinor': '36',
    },
  },
  {
    module: 'containerd',
    programs: {
      containerd: `${CONTAINERD}/cmd/containerd`,
      'containerd-shim-runc-v2': `${CONTAINERD}/cmd/containerd-shim-runc-v2`,
      ctr: `${CONTAINERD}/cmd/ctr`,
    },
    tags: ['no_btrfs', 'no_devmapper', 'no_zfs'],
    set: { [`${CONTAINERD}/version.Version`]: 'v2.3.7' },
  },
  {
    module: 'pulumi',
    programs: { pulumi: 'github.com/pulumi/pulumi/pkg/v3/cmd/pulumi' },
    set: { 'github.com/pulumi/pulumi/sdk/v3/go/common/version.Version': 'v3.259.0' },
  },
  {
    module: 'helm',
    programs: { helm: 'helm.sh/helm/v3/cmd/helm' },
    set: {
      'helm.sh/helm/v3/internal/version.version': 'v3.21.4',
      'helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor': '1',
      'helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor': '36',
    },
  },
  {
    module: 'buildx',
    programs: { buildx: 'github.com/docker/buildx/cmd/buildx' },
    set: { 'github.com/docker/buildx/version.Version': 'v0.36.1' },
  },
  {
    module: 'buildkit',
    programs: { buildkitd: 'github.com/moby/buildkit/cmd/buildkitd' },
    set: { 'github.com/moby/buildkit/version.Version': 'v0.33.1' },
  },
  { module: 'coredns', programs: { coredns: 'github.com/coredns/coredns' } },
  {
    module: 'kwok',
    programs: { kwok: 'sigs.k8s.io/kwok/cmd/kwok' },
    set: { 'sigs.k8s.io/kwok/pkg/consts.Version': 'v0.8.0' },
  },
  {
    // Debian's Prometheus cannot find its targets in a cluster. All other ways to find them are left out.
    module: 'prometheus',
    programs: { prometheus: 'github.com/prometheus/prometheus/cmd/prometheus' },
    tags: ['remove_all_sd', 'enable_kubernetes_sd'],
    set: { 'github.com/prometheus/common/version.Version': '3.11.3' },
  },
  {
    module: 'keda',
    programs: { keda: 'github.com/kedacore/keda/v2/cmd/operator' },
    set: { 'github.com/kedacore/keda/v2/version.Version': '2.21.0' },
  },
  {
    module: 'local-path-provisioner',
    programs: { 'local-path-provisioner': 'github.com/rancher/local-path-provisioner' },
  },
  {
    // No registry of packages has MongoDB itself: what clients see of it, over SQLite.
    module: 'mongodb-stand-in',
    programs: { 'mongodb-stand-in': 'github.com/FerretDB/FerretDB/mongodb-stand-in' },
    tags: ['ferretdb_no_postgresql'],
  },
  {
    module: 'metrics-server',
    programs: { 'metrics-server': 'sigs.k8s.io/metrics-server/cmd/metrics-server' },
    set: { 'k8s.io/client-go/pkg/version.gitVersion': 'v0.9.0' },
  },
  {
    module: 'kube-state-metrics',
    programs: { 'kube-state-metrics': 'k8s.io/kube-state-metrics/v2' },
    set: { 'github.com/prometheus/common/version.Version': 'v2.18.0' },
  },
  // kube-router's controller, which k3s has inside; of the releases of k3s' own copy, one that Go's checksums know.
  {
    module: 'network-policies',
    programs: { 'network-policies': 'berth/lab/network-policies' },
  },
  { module: 'pause', programs: { pause: 'berth/lab/pause' } },
] as const satisfies readonly ProgramGroup[];

type KeysOfUnion<T> = T extends unknown ? keyof T : never;

/** Names of the programs that {@link ensurePrograms} gives. */
export type ProgramName = KeysOfUnion<(typeof PROGRAM_GROUPS)[number]['programs']>;

/** What Go calls the program of an import path. */
export const builtName = (importPath: string): string =>
  path.basename(importPath.replace(/\/v\d+$/, ''));

/** The group that a program is built with. */
export function groupOf(name: ProgramName): ProgramGroup {
  const group = PROGRAM_GROUPS.find((candidate) => name in candidate.programs);
  if (group === undefined) throw new Error(`no program of the lab is called ${name}`);
  return group;
}
