import { diffProps, isObject, replacedAt, type Change, type Props, type Value } from '../shared';

/**
 * Where new inputs differ from old ones, when some properties are sets: inside those, the order of lists at any
 * depth means nothing. An empty list or map is the same as none.
 */
export function diffWithSets(
  olds: Props,
  news: Props,
  sets: readonly string[],
  replaceOn: readonly string[],
): Change[] {
  const before = withoutEmpty(olds);
  const aligned = withoutEmpty(news);
  for (const key of sets) {
    const [old, now] = [before[key], aligned[key]];
    if (old !== undefined && now !== undefined && canonical(old) === canonical(now)) {
      aligned[key] = old;
    }
  }
  return replacedAt(diffProps(before, aligned), replaceOn);
}

function withoutEmpty(props: Props): Props {
  const isEmpty = (value: Value) =>
    Array.isArray(value) ? value.length === 0 : isObject(value) && Object.keys(value).length === 0;
  return Object.fromEntries(Object.entries(props).filter(([, value]) => !isEmpty(value)));
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
