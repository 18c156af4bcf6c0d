import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { KubeApi } from '../../../runtime/shared/kubernetes/api';
import type { ServiceRbac } from '../../../runtime/shared/policy-rule';
import type { ControlPlane } from './control-plane';
import { createNamespace } from './kube';

const RBAC = '/apis/rbac.authorization.k8s.io/v1';

/**
 * The path of a kubeconfig of a service account that may do what the table says and nothing else, in a namespace that
 * is made for it. The file goes when this process ends.
 */
export async function kubeconfigOf(
  plane: ControlPlane,
  api: KubeApi,
  namespace: string,
  name: string,
  rbac: ServiceRbac,
): Promise<string> {
  const post = <T>(where: string, body: object): Promise<T> =>
    api.request<T>({ method: 'POST', path: where, body });
  const subjects = [{ kind: 'ServiceAccount', name, namespace }];
  const roleRef = (kind: string) => ({ apiGroup: 'rbac.authorization.k8s.io', kind, name });
  const metadata = { name };
  await createNamespace(api, namespace);
  const accounts = `/api/v1/namespaces/${namespace}/serviceaccounts`;
  await post(accounts, { metadata });
  await post(`${RBAC}/clusterroles`, { metadata, rules: rbac.clusterRules });
  await post(`${RBAC}/clusterrolebindings`, {
    metadata,
    subjects,
    roleRef: roleRef('ClusterRole'),
  });
  const inNamespaces = { [namespace]: rbac.namespaceRules, ...rbac.otherNamespaces };
  for (const [where, rules] of Object.entries(inNamespaces)) {
    const within = `${RBAC}/namespaces/${where}`;
    await post(`${within}/roles`, { metadata, rules });
    await post(`${within}/rolebindings`, { metadata, subjects, roleRef: roleRef('Role') });
  }
  const { status } = await post<{ status: { token: string } }>(`${accounts}/${name}/token`, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: {},
  });
  const folder = mkdtempSync(path.join(tmpdir(), 'berth-account-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'kubeconfig');
  const text = plane.kubeconfig.replace(/token: \S+/, `token: ${status.token}`);
  writeFileSync(file, text, { mode: 0o600 });
  return file;
}
