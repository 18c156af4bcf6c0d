import type { ObjectType } from '../api/token';

const IDENTITY = ['metadata.name', 'metadata.namespace'];
const DATA = ['data', 'binaryData'];

/** Fields that the official provider changes only by a new object, by `apiVersion/Kind`. */
const FIXED: Record<string, string[]> = {
  'apps/v1/Deployment': ['spec.selector'],
  'apps/v1/DaemonSet': ['spec.selector'],
  'apps/v1/StatefulSet': [
    'spec.podManagementPolicy',
    'spec.revisionHistoryLimit',
    'spec.selector',
    'spec.serviceName',
    'spec.volumeClaimTemplates',
  ],
  'batch/v1/Job': ['spec.completions', 'spec.parallelism', 'spec.selector', 'spec.template'],
  'rbac.authorization.k8s.io/v1/ClusterRoleBinding': ['roleRef'],
  'rbac.authorization.k8s.io/v1/RoleBinding': ['roleRef'],
  'storage.k8s.io/v1/StorageClass': ['parameters', 'provisioner'],
  'v1/PersistentVolumeClaim': [
    'spec.accessModes',
    'spec.selector',
    'spec.storageClassName',
    'spec.volumeName',
  ],
  'v1/ResourceQuota': ['spec.scopes'],
  'v1/Service': ['spec.clusterIP'],
  'v1/Secret': ['type'],
  'v1/PersistentVolume': ['csi', 'hostPath', 'iscsi', 'local', 'nfs'].map((f) => `spec.${f}`),
  'v1/Pod': [
    ...['affinity', 'automountServiceAccountToken', 'dnsConfig', 'dnsPolicy', 'enableServiceLinks'],
    ...['hostAliases', 'hostIPC', 'hostNetwork', 'hostPID', 'hostname', 'imagePullSecrets'],
    ...['nodeName', 'nodeSelector', 'overhead', 'preemptionPolicy', 'priority', 'subdomain'],
    ...['priorityClassName', 'readinessGates', 'restartPolicy', 'runtimeClassName', 'volumes'],
    ...['schedulerName', 'securityContext', 'serviceAccount', 'serviceAccountName'],
    ...['shareProcessNamespace', 'terminationGracePeriodSeconds'],
    ...containerFields('containers[*]'),
    ...containerFields('initContainers[*]'),
  ].map((field) => `spec.${field}`),
};

function containerFields(list: string): string[] {
  return [
    ...[
      'args',
      'command',
      'env',
      'image',
      'imagePullPolicy',
      'lifecycle',
      'livenessProbe',
      'ports',
    ],
    ...[
      'readinessProbe',
      'resources',
      'securityContext',
      'stdin',
      'stdinOnce',
      'tty',
      'workingDir',
    ],
    ...['terminationMessagePath', 'terminationMessagePolicy', 'volumeDevices', 'volumeMounts'],
  ].map((field) => `${list}.${field}`);
}

/** The input paths of a type whose change replaces the object. */
export function fixedFields(
  type: ObjectType,
  options: { mutableConfigMaps: boolean; mutableSecrets: boolean; immutable: boolean },
): string[] {
  if (type.patch) return IDENTITY;
  const kind = `${type.apiVersion}/${type.kind}`;
  const fixed = [...IDENTITY, ...(FIXED[kind] ?? [])];
  if (kind === 'v1/ConfigMap' && (!options.mutableConfigMaps || options.immutable)) {
    return [...fixed, ...DATA];
  }
  if (kind === 'v1/Secret' && (!options.mutableSecrets || options.immutable)) {
    return [...fixed, 'data', 'stringData'];
  }
  return fixed;
}
