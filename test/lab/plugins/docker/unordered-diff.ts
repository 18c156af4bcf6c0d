import { diffProps, isObject, replacedAt, type Change, type Props, type Value } from '../shared';

/**
 * Where new inputs differ from old ones, when some properties are sets: inside those, the order of lists at any
 * depth means nothing.
 */
export function diffWithSets(
  olds: Props,
  news: Props,
  sets: readonly string[],
  replaceOn: readonly string[],
): Change[] {
  const aligned = { ...news };
  for (const key of sets) {
    const [old, now] = [olds[key], news[key]];
    if (old !== undefined && now !== undefined && canonical(old) === canonical(now)) {
      aligned[key] = old;
    }
  }
  return replacedAt(diffProps(olds, aligned), replaceOn);
}

/** The same text for values that are equal as sets. */
function canonical(value: Value): string {
  if (Array.isArray(value)) return `[${value.map(canonical).sort().join()}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const members = Object.keys(value)
    .filter((key) => value[key] !== null && value[key] !== undefined)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical(value[key] ?? null)}`);
  return `{${members.join()}}`;
}
