import { parseAllDocuments } from 'yaml';
import type { KubeApi } from '../../../runtime/shared/kubernetes/api';
import type { ControlPlane } from './control-plane';
import { apiOf, createNamespace, eventually } from './kube';

const RBAC = '/apis/rbac.authorization.k8s.io/v1';

/** Where the objects of a chart go that its program cannot do without; the rest needs a kubelet. */
const collections = (namespace: string): Readonly<Record<string, string>> => ({
  CustomResourceDefinition: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
  ServiceAccount: `/api/v1/namespaces/${namespace}/serviceaccounts`,
  ClusterRole: `${RBAC}/clusterroles`,
  ClusterRoleBinding: `${RBAC}/clusterrolebindings`,
  Role: `${RBAC}/namespaces/${namespace}/roles`,
  RoleBinding: `${RBAC}/namespaces/${namespace}/rolebindings`,
});

/** An object of a chart. */
export interface ChartObject {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec?: {
    readonly template?: {
      readonly spec: {
        readonly containers: { readonly image: string; readonly args?: string[] }[];
      };
    };
  };
}

/** The objects of what `helm template` printed. */
export const objectsOf = (text: string): ChartObject[] =>
  parseAllDocuments(text).map((document) => document.toJS() as ChartObject);

/** Makes the definitions of a chart, its account and its rights, in a namespace that is made for them. */
export async function createObjects(
  api: KubeApi,
  namespace: string,
  objects: readonly ChartObject[],
): Promise<void> {
  await createNamespace(api, namespace);
  const where = collections(namespace);
  for (const object of objects) {
    const collection = where[object.kind];
    if (collection !== undefined)
      await api.request({ method: 'POST', path: collection, body: object });
  }
}

/**
 * The text of a kubeconfig of a service account.
 * @param readable what it may read: this waits for it, for a fresh API server first refuses everything to all but its admin
 */
export async function accountKubeconfig(
  plane: ControlPlane,
  api: KubeApi,
  account: { readonly namespace: string; readonly name: string },
  readable: readonly string[],
): Promise<string> {
  const { status } = await api.request<{ status: { token: string } }>({
    method: 'POST',
    path: `/api/v1/namespaces/${account.namespace}/serviceaccounts/${account.name}/token`,
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} },
  });
  const text = plane.kubeconfig.replace(/token: \S+/, `token: ${status.token}`);
  const client = await apiOf(text);
  try {
    for (const path of readable)
      await eventually(`${account.name} may read ${path}`, () =>
        client.request({ method: 'GET', path }),
      );
  } finally {
    await client.close();
  }
  return text;
}
