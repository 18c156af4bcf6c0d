import type { KubeApi } from '../../../runtime/shared/kubernetes/api';
import { eventually } from './kube';

export const SCALED_JOBS_NAMESPACE = 'posture';

export const scaledJobsIn = (namespace: string): string =>
  `/apis/keda.sh/v1alpha1/namespaces/${namespace}/scaledjobs`;

/** Makes an API server know ScaledJobs, as plain objects. */
export async function defineScaledJobs(api: KubeApi): Promise<void> {
  const names = { kind: 'ScaledJob', plural: 'scaledjobs', singular: 'scaledjob' };
  const schema = {
    openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
  };
  await api.request({
    method: 'POST',
    path: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
    body: {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'scaledjobs.keda.sh' },
      spec: {
        group: 'keda.sh',
        scope: 'Namespaced',
        names,
        versions: [
          { name: 'v1alpha1', served: true, storage: true, schema, subresources: { status: {} } },
        ],
      },
    },
  });
  const path = scaledJobsIn(SCALED_JOBS_NAMESPACE);
  await eventually('ScaledJobs are served', () => api.request({ method: 'GET', path }));
}
