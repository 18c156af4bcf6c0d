import * as kubernetes from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import type { PolicyRule, ServiceRbac as ServiceRules } from '../runtime/shared/policy-rule';

const plain = (rules: readonly PolicyRule[]) =>
  rules.map((rule) => ({
    apiGroups: [...rule.apiGroups],
    resources: [...rule.resources],
    verbs: [...rule.verbs],
    ...(rule.resourceNames === undefined ? {} : { resourceNames: [...rule.resourceNames] }),
  }));

/** A service's account, bound to exactly the rules of its table. */
export class ServiceRbac extends pulumi.ComponentResource {
  readonly serviceAccountName: pulumi.Output<string>;

  constructor(
    name: string,
    args: { readonly namespace: pulumi.Input<string>; readonly rules: ServiceRules },
    options: pulumi.ComponentResourceOptions,
  ) {
    super('berth:index:ServiceRbac', name, {}, options);
    const rbac = kubernetes.rbac.v1;
    const inside = { parent: this };
    const account = new kubernetes.core.v1.ServiceAccount(
      name,
      { metadata: { name, namespace: args.namespace } },
      inside,
    );
    const subjects = [{ kind: 'ServiceAccount', name, namespace: args.namespace }];
    const apiGroup = 'rbac.authorization.k8s.io';
    if (args.rules.clusterRules.length > 0) {
      const clusterName = `berth-${name}`;
      const role = new rbac.ClusterRole(
        name,
        { metadata: { name: clusterName }, rules: plain(args.rules.clusterRules) },
        inside,
      );
      new rbac.ClusterRoleBinding(
        name,
        {
          metadata: { name: clusterName },
          roleRef: { apiGroup, kind: 'ClusterRole', name: role.metadata.name },
          subjects,
        },
        inside,
      );
    }
    const allow = (
      resource: string,
      namespace: pulumi.Input<string>,
      rules: readonly PolicyRule[],
    ): void => {
      const metadata = { name, namespace };
      const role = new rbac.Role(resource, { metadata, rules: plain(rules) }, inside);
      new rbac.RoleBinding(
        resource,
        { metadata, roleRef: { apiGroup, kind: 'Role', name: role.metadata.name }, subjects },
        inside,
      );
    };
    if (args.rules.namespaceRules.length > 0)
      allow(name, args.namespace, args.rules.namespaceRules);
    for (const [namespace, rules] of Object.entries(args.rules.otherNamespaces ?? {}))
      allow(`${name}-${namespace}`, namespace, rules);
    this.serviceAccountName = account.metadata.name;
    this.registerOutputs({ serviceAccountName: this.serviceAccountName });
  }
}
