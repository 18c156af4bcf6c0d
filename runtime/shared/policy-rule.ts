/** One RBAC rule, in the words of `rbac.authorization.k8s.io/v1`. */
export interface PolicyRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

/** What one service may do: everywhere, in the namespace it runs in, and in others by name. */
export interface ServiceRbac {
  readonly clusterRules: readonly PolicyRule[];
  readonly namespaceRules: readonly PolicyRule[];
  readonly otherNamespaces?: Readonly<Record<string, readonly PolicyRule[]>>;
}
