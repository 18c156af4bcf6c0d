import * as kubernetes from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import type { EstateConfig } from '../config';
import { networkPolicies, type Policy } from './policies';

/**
 * Closes a namespace but for the flows of its pods.
 * @returns the namespace's name, from which whatever uses it depends on its policies: they are there before the first pod,
 * and go after the last, so that nothing is cut off while it ends.
 */
export type Guard = (
  namespace: pulumi.Output<string>,
  name: string,
  parent: pulumi.Resource,
) => pulumi.Output<string>;

/** Leaves namespaces open. */
export const unguarded: Guard = (namespace) => namespace;

/** Closes the namespaces of an estate, unless its configuration leaves them open. */
export function networkGuard(config: EstateConfig): Guard {
  if (!config.networkPolicies.enabled) return unguarded;
  const policies = networkPolicies(config);
  return (namespace, name, parent) => {
    const found = policies.get(name);
    if (found === undefined) throw new Error(`namespace ${name} has no network policies`);
    const declare = (policy: Policy, dependsOn: pulumi.Resource[]) =>
      new kubernetes.networking.v1.NetworkPolicy(
        `${name}-${policy.name}`,
        { metadata: { name: policy.name, namespace }, spec: policy.spec },
        { parent, dependsOn },
      );
    const allowed = found.allow.map((policy) => declare(policy, []));
    // Last of all, and gone first: no pod is without its own policy while this one holds.
    const closed = declare(found.denyAll, allowed);
    const names = [...allowed, closed].map(({ metadata }) => metadata.namespace);
    return pulumi.all([namespace, pulumi.all(names)]).apply(([own]) => own);
  };
}
