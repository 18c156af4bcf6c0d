import type { PolicyResource } from './types';

export type Fields = Readonly<Record<string, unknown>>;

/** Where the pod's spec lies in each kind that runs one. */
const POD_PATHS: Readonly<Record<string, readonly string[]>> = {
  'kubernetes:core/v1:Pod': ['spec'],
  'kubernetes:apps/v1:Deployment': ['spec', 'template', 'spec'],
  'kubernetes:apps/v1:StatefulSet': ['spec', 'template', 'spec'],
  'kubernetes:apps/v1:DaemonSet': ['spec', 'template', 'spec'],
  'kubernetes:apps/v1:ReplicaSet': ['spec', 'template', 'spec'],
  'kubernetes:batch/v1:Job': ['spec', 'template', 'spec'],
  'kubernetes:batch/v1:CronJob': ['spec', 'jobTemplate', 'spec', 'template', 'spec'],
  'kubernetes:keda.sh/v1alpha1:ScaledJob': ['spec', 'jobTargetRef', 'template', 'spec'],
};

/** The pod that a resource runs; undefined where it runs none. */
export function podOf({ type, inputs }: PolicyResource): Fields | undefined {
  const path = POD_PATHS[type];
  return path === undefined ? undefined : fieldsAt(inputs, ...path);
}

/**
 * All containers of a pod: those that start first, and those that stay. They are given as they are: in a preview, to look
 * at a field that is not known yet ends the policy.
 */
export const containersOf = (pod: Fields): Fields[] =>
  ['initContainers', 'containers', 'ephemeralContainers'].flatMap((key) => listAt(pod, key));

/** `container analyzer`. */
export const labelOf = (container: Fields): string => `container ${String(container.name)}`;

/** The object at a path, or an empty one. */
export function fieldsAt(root: unknown, ...path: readonly string[]): Fields {
  let at = root;
  for (const key of path) at = isFields(at) ? at[key] : undefined;
  return isFields(at) ? at : {};
}

/** The objects of the list at a key. */
export function listAt(fields: Fields, key: string): Fields[] {
  const list = fields[key];
  return Array.isArray(list) ? (list as unknown[]).filter(isFields) : [];
}

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
