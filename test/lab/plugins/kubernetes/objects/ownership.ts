import type { Json, KubeObject, ManagedFields } from '../api/cluster';

/** Who owned the fields of an object that was created, not applied; updates take those over. */
export const CREATOR = 'pulumi-kubernetes';
const TAKEN_OVER = [CREATOR, 'pulumi-resource-kubernetes', 'kubectl', 'before-first-apply'];

const isTakenOver = (entry: ManagedFields): boolean =>
  entry.operation === 'Update' &&
  entry.subresource === undefined &&
  TAKEN_OVER.includes(entry.manager ?? '');

/** Whether fields of the object still belong to its creation, so that applying would conflict with ourselves. */
export const needsTakeover = (object: KubeObject): boolean =>
  (object.metadata.managedFields ?? []).some(isTakenOver);

/**
 * The JSON patch that hands the fields of its creation over to the name under which this resource applies; without
 * it a field that the program drops would never go.
 */
export function takeover(object: KubeObject, manager: string): object[] {
  const entries = object.metadata.managedFields ?? [];
  const ours = (entry: ManagedFields) =>
    isTakenOver(entry) || (entry.manager === manager && entry.operation === 'Apply');
  const fields = entries.filter(ours).map((entry) => entry.fieldsV1 ?? {});
  const merged: ManagedFields = {
    ...entries.find(ours),
    manager,
    operation: 'Apply',
    fieldsV1: fields.reduce<Record<string, Json>>(merge, {}),
  };
  const value = [...entries.filter((entry) => !ours(entry)), merged];
  return [
    { op: 'replace', path: '/metadata/managedFields', value },
    {
      op: 'replace',
      path: '/metadata/resourceVersion',
      value: object.metadata.resourceVersion,
    },
  ];
}

function merge(a: Record<string, Json>, b: Record<string, Json>): Record<string, Json> {
  const both = { ...a };
  for (const [key, value] of Object.entries(b)) {
    const old = both[key];
    both[key] = isMap(old) && isMap(value) ? merge(old, value) : value;
  }
  return both;
}

const isMap = (value: Json | undefined): value is Record<string, Json> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
