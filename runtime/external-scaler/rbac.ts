import type { ServiceRbac } from '../shared/policy-rule';

/** Exactly the verbs the scaler uses: it reads, and writes nothing. */
export const externalScalerRbac: ServiceRbac = {
  clusterRules: [{ apiGroups: [''], resources: ['nodes'], verbs: ['list', 'watch'] }],
  namespaceRules: [
    { apiGroups: [''], resources: ['pods'], verbs: ['list', 'watch'] },
    { apiGroups: ['batch'], resources: ['jobs'], verbs: ['list', 'watch'] },
    { apiGroups: ['keda.sh'], resources: ['scaledjobs'], verbs: ['list', 'watch'] },
  ],
};
