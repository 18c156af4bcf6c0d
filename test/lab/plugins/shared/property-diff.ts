import { isObject, UNKNOWN, type Props, type Value } from './values';

export type ChangeKind = 'add' | 'delete' | 'update';
export type Path = readonly (string | number)[];

/** One place where new inputs differ from the old ones. */
export interface Change {
  path: Path;
  kind: ChangeKind;
  /** Whether this change can only be made by a new resource. */
  replace: boolean;
}

/**
 * Where two property bags differ, leaf by leaf. `null` and absent are the same thing; an unknown new value counts
 * as a change, since it may be one.
 */
export function diffProps(olds: Props, news: Props, path: Path = []): Change[] {
  const keys = [...new Set([...Object.keys(olds), ...Object.keys(news)])].sort();
  return keys.flatMap((key) => diffValue(olds[key], news[key], [...path, key]));
}

function diffValue(old: Value | undefined, now: Value | undefined, path: Path): Change[] {
  const change = (kind: ChangeKind): Change[] => [{ path, kind, replace: false }];
  if (isAbsent(old)) return isAbsent(now) ? [] : change('add');
  if (isAbsent(now)) return change('delete');
  if (now === UNKNOWN) return change('update');
  if (Array.isArray(old) && Array.isArray(now)) {
    const length = Math.max(old.length, now.length);
    return Array.from({ length }, (_, i) => diffValue(old[i], now[i], [...path, i])).flat();
  }
  if (isObject(old) && isObject(now)) return diffProps(old, now, path);
  return old === now ? [] : change('update');
}

const isAbsent = (value: Value | undefined): value is null | undefined =>
  value === undefined || value === null;

/** A path as Pulumi writes it: `spec.ports[0].name`, `metadata.labels["app.kubernetes.io/name"]`. */
export function formatPath(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    if (!/^[A-Za-z_$][\w$]*$/.test(part)) return `${text}[${JSON.stringify(part)}]`;
    return text === '' ? part : `${text}.${part}`;
  }, '');
}

/**
 * Whether a path is at or below a pattern such as `spec.selector` or `ports[*].internal`; `*` and `[*]` stand for
 * any one key or index.
 */
export function matchesPath(pattern: string, path: Path): boolean {
  const parts = pattern.replaceAll('[*]', '.*').split('.');
  return (
    parts.length <= path.length && parts.every((part, i) => part === '*' || part === `${path[i]}`)
  );
}

/** Marks as a replacement every change at or below one of the patterns. */
export function replacedAt(changes: readonly Change[], patterns: readonly string[]): Change[] {
  return changes.map((change) => ({
    ...change,
    replace: change.replace || patterns.some((pattern) => matchesPath(pattern, change.path)),
  }));
}
