import type { ServiceRbac } from '../shared/policy-rule';

/**
 * Exactly the verbs the scheduler uses. The Leases are read and written in its own namespace only; their names are
 * LEASE_NAME and DISRUPTIONS_LEASE (creating cannot be limited to a name).
 */
export const cpuSchedulerRbac: ServiceRbac = {
  clusterRules: [
    { apiGroups: [''], resources: ['nodes'], verbs: ['list', 'watch'] },
    { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: [''], resources: ['pods/binding', 'pods/eviction'], verbs: ['create'] },
    { apiGroups: ['events.k8s.io'], resources: ['events'], verbs: ['create', 'patch'] },
  ],
  namespaceRules: [
    { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['create'] },
    {
      apiGroups: ['coordination.k8s.io'],
      resources: ['leases'],
      verbs: ['get', 'update'],
      resourceNames: ['cpu-scheduler', 'disruptions'],
    },
  ],
};
