import type { ServiceRbac } from '../shared/policy-rule';

/** Exactly the verbs the extender uses: it follows the probers and its scheduler's pods, and writes events. */
export const latencyExtenderRbac: ServiceRbac = {
  clusterRules: [
    { apiGroups: [''], resources: ['pods'], verbs: ['list', 'watch'] },
    { apiGroups: ['events.k8s.io'], resources: ['events'], verbs: ['create', 'patch'] },
  ],
  namespaceRules: [],
};
