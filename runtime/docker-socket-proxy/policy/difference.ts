const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * The place of the first difference between two values of JSON, such as `HostConfig.Binds[1]`; undefined where they are
 * the same. Values are not told: they may be secret.
 */
export function difference(wanted: unknown, given: unknown, place = ''): string | undefined {
  if (Array.isArray(wanted) && Array.isArray(given)) {
    const length = Math.max(wanted.length, given.length);
    return first(length, (index) => {
      const at = `${place}[${index}]`;
      return index < wanted.length && index < given.length
        ? difference(wanted[index], given[index], at)
        : at;
    });
  }
  if (isObject(wanted) && isObject(given)) {
    const keys = [...new Set([...Object.keys(wanted), ...Object.keys(given)])];
    return first(keys.length, (index) => {
      const key = keys[index] ?? '';
      const at = place === '' ? key : `${place}.${key}`;
      return Object.hasOwn(wanted, key) && Object.hasOwn(given, key)
        ? difference(wanted[key], given[key], at)
        : at;
    });
  }
  return Object.is(wanted, given) ? undefined : place || 'the body';
}

function first(
  length: number,
  differenceAt: (index: number) => string | undefined,
): string | undefined {
  for (let index = 0; index < length; index += 1) {
    const found = differenceAt(index);
    if (found !== undefined) return found;
  }
  return undefined;
}
