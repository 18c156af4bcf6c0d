import { createHash, randomBytes } from 'node:crypto';
import { isObject, UNKNOWN, type Props } from '../../shared';
import { annotation, isSet, STEERING } from './annotations';

/** `<prefix>-<8 hex>`; the same seed gives the same name. */
export function uniqueName(prefix: string, seed: Uint8Array = new Uint8Array()): string {
  const random = seed.length > 0 ? createHash('sha256').update(seed).digest() : randomBytes(4);
  return `${prefix}-${random.toString('hex').slice(0, 8)}`;
}

/**
 * The inputs with a name: the program's own, else the generated one of the last time, else a new one after the
 * resource's name. A generated name carries an annotation, so that later runs know it for what it is.
 */
export function withName(news: Props, olds: Props, resourceName: string, seed: Uint8Array): Props {
  const metadata = news.metadata ?? {};
  if (!isObject(metadata) || (metadata.name !== undefined && metadata.name !== null)) return news;
  const kept = isSet(olds, 'autonamed') ? nameOf(olds) : undefined;
  const annotations = metadata.annotations ?? {};
  return {
    ...news,
    metadata: {
      ...metadata,
      name: kept ?? uniqueName(resourceName, seed),
      annotations: isObject(annotations)
        ? { ...annotations, [STEERING.autonamed]: 'true' }
        : annotations,
    },
  };
}

export function nameOf(object: Props): string | undefined {
  const name = isObject(object.metadata) ? object.metadata.name : undefined;
  return typeof name === 'string' && name !== UNKNOWN ? name : undefined;
}

export function namespaceOf(object: Props): string | undefined {
  const namespace = isObject(object.metadata) ? object.metadata.namespace : undefined;
  return typeof namespace === 'string' && namespace !== '' ? namespace : undefined;
}

/** The id of an object: `namespace/name`, or the name alone when it has no namespace. */
export const idOf = (namespace: string | undefined, name: string): string =>
  namespace === undefined ? name : `${namespace}/${name}`;

export function parseId(id: string): { namespace?: string; name: string } {
  const [first = '', second] = id.split('/');
  return second === undefined ? { name: first } : { namespace: first, name: second };
}

/** Under which name the fields of an object are owned: fixed by annotation, kept in the state, else new. */
export function fieldManager(inputs: Props, oldOutputs: Props): string {
  const kept = oldOutputs.__fieldManager;
  return (
    annotation(inputs, 'patchFieldManager') ??
    (typeof kept === 'string' ? kept : uniqueName('pulumi-kubernetes'))
  );
}
