import type { ServiceRbac } from '../../runtime/shared/policy-rule';

/** What a kube-scheduler with the latency extender is made from. */
export interface LatencySchedulerConfig {
  readonly schedulerName: string;
  /** Base URL of the extender. */
  readonly extenderUrl: string;
  /** What it shows an extender that speaks TLS, and the authority by which it knows the extender: paths of PEM files. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca: string } | undefined;
  /** True sends the extender names and not whole nodes: at 5,000 nodes 100 kB and not 50 MB for each pod. */
  readonly nodeCacheCapable: boolean;
  /** An extender that does not answer within this time has failed. */
  readonly httpTimeoutSeconds: number;
  /** True places pods without the extender when it fails; false lets them wait. */
  readonly ignorable: boolean;
  /** Where the Lease of its leader is; undefined: it leads without one. */
  readonly leaseNamespace: string | undefined;
  /** Path of a kubeconfig; undefined: the service account of its pod. */
  readonly kubeconfigPath?: string;
}

/** The KubeSchedulerConfiguration: every score of its own is off, so that only the extender's ranks nodes. */
export const kubeSchedulerConfiguration = (config: LatencySchedulerConfig) => ({
  apiVersion: 'kubescheduler.config.k8s.io/v1',
  kind: 'KubeSchedulerConfiguration',
  ...(config.kubeconfigPath !== undefined && {
    clientConnection: { kubeconfig: config.kubeconfigPath },
  }),
  leaderElection:
    config.leaseNamespace === undefined
      ? { leaderElect: false }
      : {
          leaderElect: true,
          resourceLock: 'leases',
          resourceName: config.schedulerName,
          resourceNamespace: config.leaseNamespace,
        },
  profiles: [
    {
      schedulerName: config.schedulerName,
      plugins: { preScore: { disabled: [{ name: '*' }] }, score: { disabled: [{ name: '*' }] } },
    },
  ],
  extenders: [
    {
      urlPrefix: config.extenderUrl,
      filterVerb: 'filter',
      prioritizeVerb: 'prioritize',
      weight: 1,
      enableHTTPS: config.tls !== undefined,
      ...(config.tls && {
        tlsConfig: { certFile: config.tls.cert, keyFile: config.tls.key, caFile: config.tls.ca },
      }),
      httpTimeout: `${config.httpTimeoutSeconds}s`,
      nodeCacheCapable: config.nodeCacheCapable,
      ignorable: config.ignorable,
    },
  ],
});

/**
 * Flags beside the configuration. Nobody but the kubelet's probes asks it anything, so it need not look up who may.
 */
export const kubeSchedulerFlags = (configPath: string, bindAddress: string, port: number) => [
  `--config=${configPath}`,
  `--bind-address=${bindAddress}`,
  `--secure-port=${port}`,
  '--authentication-skip-lookup=true',
];

const read = ['get', 'list', 'watch'];
const core = [''];

/** Exactly the verbs that kube-scheduler 1.36 uses, without its right to ask who others are. */
export const latencySchedulerRbac = (schedulerName: string): ServiceRbac => ({
  clusterRules: [
    { apiGroups: core, resources: ['nodes', 'namespaces', 'services'], verbs: read },
    { apiGroups: core, resources: ['replicationcontrollers'], verbs: read },
    { apiGroups: core, resources: ['persistentvolumeclaims', 'persistentvolumes'], verbs: read },
    // It deletes pods of lower priority to make room for others.
    { apiGroups: core, resources: ['pods'], verbs: [...read, 'delete'] },
    { apiGroups: core, resources: ['pods/binding'], verbs: ['create'] },
    { apiGroups: core, resources: ['pods/status'], verbs: ['patch', 'update'] },
    { apiGroups: ['apps'], resources: ['replicasets', 'statefulsets'], verbs: read },
    { apiGroups: ['policy'], resources: ['poddisruptionbudgets'], verbs: read },
    {
      apiGroups: ['storage.k8s.io'],
      resources: [
        'csidrivers',
        'csinodes',
        'csistoragecapacities',
        'storageclasses',
        'volumeattachments',
      ],
      verbs: read,
    },
    // It writes the node it chose for a claim that is bound when its first pod is.
    {
      apiGroups: core,
      resources: ['persistentvolumeclaims', 'persistentvolumes'],
      verbs: ['patch', 'update'],
    },
    {
      apiGroups: ['resource.k8s.io'],
      resources: ['deviceclasses', 'resourceclaims', 'resourceslices'],
      verbs: read,
    },
    // It makes claims itself for extended resources that a driver offers.
    {
      apiGroups: ['resource.k8s.io'],
      resources: ['resourceclaims'],
      verbs: ['create', 'delete', 'patch', 'update'],
    },
    {
      apiGroups: ['resource.k8s.io'],
      resources: ['resourceclaims/status', 'resourceclaims/binding'],
      verbs: ['patch', 'update'],
    },
    { apiGroups: core, resources: ['pods/finalizers'], verbs: ['update'] },
    {
      apiGroups: ['', 'events.k8s.io'],
      resources: ['events'],
      verbs: ['create', 'patch', 'update'],
    },
  ],
  namespaceRules: [
    { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['create'] },
    {
      apiGroups: ['coordination.k8s.io'],
      resources: ['leases'],
      verbs: ['get', 'update', 'list', 'watch'],
      resourceNames: [schedulerName],
    },
  ],
});
