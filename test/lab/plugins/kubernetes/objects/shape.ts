import { isObject, type Props, type Value } from '../../shared';
import { sameValue } from './quantity';

/**
 * The live object cut down to what the program says about it, so that only drift shows: fields that the server or
 * controllers added are left out, and a value that the server merely writes differently stays as the program wrote it.
 */
export function cutToShape(live: Props, inputs: Props): Props {
  return Object.fromEntries(
    Object.entries(inputs).flatMap(([key, input]) => {
      const value = cutValue(live[key], input);
      return value === undefined ? [] : [[key, value] as const];
    }),
  );
}

function cutValue(live: Value | undefined, input: Value): Value | undefined {
  // The server drops what is empty.
  if (live === undefined || live === null) return isEmpty(input) ? input : undefined;
  if (isObject(live) && isObject(input)) return cutToShape(live, input);
  if (Array.isArray(live) && Array.isArray(input)) {
    return live.map((item, i) => (i < input.length ? (cutValue(item, input[i]!) ?? item) : item));
  }
  return sameValue(live, input) ? input : live;
}

function isEmpty(value: Value): boolean {
  return value === null || (typeof value === 'object' && Object.keys(value).length === 0);
}

/** A Secret's `stringData` is never read back; it stays as long as `data` still holds the same. */
export function keepStringData(cut: Props, live: Props, inputs: Props): Props {
  if (!isObject(inputs.stringData)) return cut;
  const data = isObject(live.data) ? live.data : {};
  const kept = Object.entries(inputs.stringData).flatMap(([key, value]) => {
    const now = data[key];
    if (typeof now !== 'string') return [];
    const text = Buffer.from(now, 'base64').toString();
    return [[key, text === value ? value : text] as const];
  });
  return { ...cut, stringData: Object.fromEntries(kept) };
}

/** The inputs of an object that is imported: all that it says, without what only the server writes. */
export function importedInputs(live: Props): Props {
  const { metadata, ...rest } = live;
  delete rest.status;
  const own = isObject(metadata) ? { ...metadata } : {};
  for (const key of [
    'creationTimestamp',
    'generation',
    'managedFields',
    'resourceVersion',
    'uid',
  ]) {
    delete own[key];
  }
  return { ...rest, metadata: own };
}
