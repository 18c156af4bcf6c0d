import { diffProps, isObject, replacedAt, type Change, type Props, type Value } from '../../shared';
import { isSet } from './annotations';
import { nameOf, namespaceOf } from './naming';
import { sameValue } from './quantity';

/**
 * Where new inputs differ from the old ones (which a refresh brought in line with the live object), and whether the
 * old object must go first: it must when the new one has the same fixed name in the same namespace.
 */
export function diffObject(
  oldInputs: Props,
  oldOutputs: Props,
  news: Props,
  fixed: readonly string[],
): { changes: Change[]; deleteBeforeReplace: boolean } {
  const olds = withNamespace(oldInputs);
  const now = withNamespace(news);
  const changes = diffProps(olds, now).filter(
    ({ path, kind }) => kind !== 'update' || !sameValue(valueAt(olds, path), valueAt(now, path)),
  );
  return {
    changes: replacedAt(changes, fixed),
    deleteBeforeReplace:
      !isSet(news, 'autonamed') &&
      nameOf(news) !== undefined &&
      nameOf(news) === nameOf(oldOutputs) &&
      (namespaceOf(now) ?? 'default') === (namespaceOf(oldOutputs) ?? 'default'),
  };
}

/** No namespace and `default` are the same thing; only where both sides could differ does it matter. */
function withNamespace(inputs: Props): Props {
  if (!isObject(inputs.metadata)) return inputs;
  const { namespace, ...metadata } = inputs.metadata;
  return namespace === 'default' || namespace === undefined
    ? { ...inputs, metadata }
    : { ...inputs, metadata: { ...metadata, namespace } };
}

function valueAt(value: Value | undefined, path: readonly (string | number)[]): Value | undefined {
  return path.reduce<Value | undefined>(
    (at, key) => (typeof at === 'object' && at !== null ? (at as Props)[key] : undefined),
    value,
  );
}
