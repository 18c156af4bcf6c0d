import { diffProps, isObject, type Change, type Props, type Value } from '../shared';

/**
 * What asks for a new build: changed inputs, each named as a whole, and a changed context. Nothing replaces. The
 * passwords of registries do not count: they may be new each time.
 */
export function diffImage(olds: Props, news: Props, oldHash: Value, hash: string): Change[] {
  const changed = diffProps(comparable(olds), comparable(news));
  const places = new Map<string, Change>();
  for (const change of changed) {
    const path = change.path.slice(0, change.path[0] === 'context' ? 2 : 1);
    places.set(path.join('.'), { path, kind: 'update', replace: false });
  }
  const exported = [news.exports, news.push, news.load].some(
    (value) => value === true || (Array.isArray(value) && value.length > 0),
  );
  // `pull` asks for fresh base images each time.
  if (hash !== oldHash || (news.pull === true && exported)) {
    places.set('contextHash', { path: ['contextHash'], kind: 'update', replace: false });
  }
  return [...places.values()];
}

function comparable(inputs: Props): Props {
  const { registries } = inputs;
  if (!Array.isArray(registries)) return inputs;
  const known = registries.map((registry) =>
    isObject(registry) ? { ...registry, password: null } : registry,
  );
  return { ...inputs, registries: known };
}
