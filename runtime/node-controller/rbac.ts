import type { ServiceRbac } from '../shared/policy-rule';

/**
 * Exactly the verbs the controller uses; those on Jobs and pods only where it releases Jobs. It patches labels of
 * nodes, which RBAC cannot tell from the rest of a node. The Lease is LEASE_NAME in its own namespace, which is also
 * that of the analyzers (creating cannot be limited to a name).
 */
export const nodeControllerRbac = (options: { readonly releaseJobs: boolean }): ServiceRbac => ({
  clusterRules: [{ apiGroups: [''], resources: ['nodes'], verbs: ['list', 'watch', 'patch'] }],
  namespaceRules: [
    { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['create'] },
    {
      apiGroups: ['coordination.k8s.io'],
      resources: ['leases'],
      verbs: ['get', 'update'],
      resourceNames: ['posture-node-controller'],
    },
    ...(options.releaseJobs
      ? [
          { apiGroups: [''], resources: ['pods'], verbs: ['list', 'watch'] },
          { apiGroups: ['batch'], resources: ['jobs'], verbs: ['list', 'watch', 'patch'] },
        ]
      : []),
  ],
});
