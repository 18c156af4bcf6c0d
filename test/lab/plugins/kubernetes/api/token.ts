/** What a resource's type token says: `kubernetes:apps/v1:Deployment` is apiVersion `apps/v1`, kind `Deployment`. */
export interface ObjectType {
  apiVersion: string;
  kind: string;
  /** A `…Patch` type: it owns some fields of an object that others made. */
  patch: boolean;
}

/** Kinds of the official SDK whose own name ends in "Patch" do not exist, so the suffix is unambiguous. */
const PATCH = /Patch$/;

/** The object type of a token, or nothing when it is not one of a single Kubernetes object. */
export function objectType(token: string): ObjectType | undefined {
  const match = /^kubernetes:([\w.-]+\/)?(v\d\w*):(\w+)$/.exec(token);
  const kind = match?.[3];
  if (!match || kind === undefined) return undefined;
  const group = (match[1] ?? '').replace(/\/$/, '');
  const patch = PATCH.test(kind);
  // Lists exist in the SDK for charts and YAML; the official provider refuses them, too.
  if (isOverlay(group) || kind.endsWith('List')) return undefined;
  return {
    apiVersion: group === '' || group === 'core' ? (match[2] ?? '') : `${group}/${match[2]}`,
    kind: kind.replace(PATCH, ''),
    patch,
  };
}

/** Groups that are not the API server's but higher-level resources of the SDK. */
const isOverlay = (group: string): boolean =>
  ['helm.sh', 'kustomize', 'yaml', 'index'].includes(group);
