import type { ServiceRbac } from '../shared/policy-rule';

const READ = ['list', 'watch'];

/**
 * Exactly the verbs the autoscaler uses. Nodes are patched to cordon them, which RBAC cannot tell from the rest of a
 * node. In kube-system it removes the password secrets of nodes that are gone: it cannot read secrets, nor can removing be
 * limited to names that are not known yet. The Leases are LEASE_NAME and DISRUPTIONS_LEASE in its own namespace
 * (creating cannot be limited to a name).
 */
export const autoscalerRbac: ServiceRbac = {
  clusterRules: [
    { apiGroups: [''], resources: ['nodes'], verbs: ['get', ...READ, 'patch', 'delete'] },
    {
      apiGroups: [''],
      resources: ['pods', 'persistentvolumeclaims', 'persistentvolumes'],
      verbs: READ,
    },
    { apiGroups: [''], resources: ['pods/eviction'], verbs: ['create'] },
    { apiGroups: ['storage.k8s.io'], resources: ['storageclasses'], verbs: READ },
    { apiGroups: ['policy'], resources: ['poddisruptionbudgets'], verbs: READ },
  ],
  namespaceRules: [
    { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['create'] },
    {
      apiGroups: ['coordination.k8s.io'],
      resources: ['leases'],
      verbs: ['get', 'update'],
      resourceNames: ['autoscaler', 'disruptions'],
    },
    {
      apiGroups: ['coordination.k8s.io'],
      resources: ['leases'],
      verbs: READ,
      resourceNames: ['disruptions'],
    },
  ],
  otherNamespaces: {
    'kube-system': [{ apiGroups: [''], resources: ['secrets'], verbs: ['delete'] }],
  },
};
