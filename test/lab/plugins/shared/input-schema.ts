import type { z } from 'zod';
import { formatPath } from './property-diff';
import type { CheckFailure } from './provider';
import { isObject, UNKNOWN, type Props, type Value } from './values';

/**
 * What is wrong with `inputs` by a zod schema, each with its path. A strict object in the schema refuses properties
 * by name, at any depth. A value that is not known yet is not judged, and `null` counts as absent.
 */
export function schemaFailures(schema: z.ZodType, inputs: Props, type: string): CheckFailure[] {
  const result = schema.safeParse(withoutNulls(inputs));
  return (result.error?.issues ?? []).flatMap((issue) => {
    const path = issue.path as (string | number)[];
    if (isUnknownAt(inputs, path)) return [];
    if (issue.code !== 'unrecognized_keys') {
      return [{ property: formatPath(path), reason: issue.message }];
    }
    return issue.keys.map((key) => {
      const property = formatPath([...path, key]);
      return { property, reason: `the lab does not implement the property ${property} of ${type}` };
    });
  });
}

/** `value` without the members that are `null`. */
export function withoutNulls<T extends Value>(value: T): T {
  if (Array.isArray(value)) return value.map((item) => withoutNulls(item)) as T;
  if (!isObject(value)) return value;
  const entries = Object.entries(value).filter(([, item]) => item !== null);
  return Object.fromEntries(entries.map(([key, item]) => [key, withoutNulls(item)])) as T;
}

function isUnknownAt(value: Value | undefined, path: (string | number)[]): boolean {
  let at = value;
  for (const part of path) {
    if (at === UNKNOWN) return true;
    at = Array.isArray(at) ? at[Number(part)] : isObject(at) ? at[part] : undefined;
  }
  return at === UNKNOWN;
}
