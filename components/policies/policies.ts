import { imagesByDigest, requestsSet } from './containers';
import { isExcepted } from './exceptions';
import { helmVersionsPinned, restrictedNamespaces } from './platform';
import { noPrivilegedPods } from './privileges';
import { noPlainSecrets } from './secrets';
import type { EstatePolicy, PolicyResource, Violation } from './types';

/** What every resource of an estate keeps to. */
export const POLICIES: readonly EstatePolicy[] = [
  noPrivilegedPods,
  requestsSet,
  imagesByDigest,
  noPlainSecrets,
  restrictedNamespaces,
  helmVersionsPinned,
];

/** What a resource does against a policy and is not excepted from. */
export const unexcused = (policy: EstatePolicy, resource: PolicyResource): readonly Violation[] =>
  policy
    .violations(resource)
    .filter((violation) => !isExcepted(policy.name, resource.name, violation));
