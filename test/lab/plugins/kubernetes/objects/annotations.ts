import { isObject, type Props } from '../../shared';

/** The annotations by which a program steers the provider, as the official one documents them. */
export const STEERING = {
  autonamed: 'pulumi.com/autonamed',
  skipAwait: 'pulumi.com/skipAwait',
  timeoutSeconds: 'pulumi.com/timeoutSeconds',
  replaceUnready: 'pulumi.com/replaceUnready',
  patchForce: 'pulumi.com/patchForce',
  patchFieldManager: 'pulumi.com/patchFieldManager',
  deletionPropagation: 'pulumi.com/deletionPropagationPolicy',
} as const;

export function annotation(object: Props, key: keyof typeof STEERING): string | undefined {
  const metadata = object.metadata;
  const annotations = isObject(metadata) ? metadata.annotations : undefined;
  const value = isObject(annotations) ? annotations[STEERING[key]] : undefined;
  return typeof value === 'string' ? value : undefined;
}

export const isSet = (object: Props, key: keyof typeof STEERING): boolean =>
  annotation(object, key) === 'true';

/** Steering annotations that the lab does not implement, such as `pulumi.com/waitFor`. */
export function unknownSteering(object: Props): string[] {
  const metadata = object.metadata;
  const annotations = isObject(metadata) ? metadata.annotations : undefined;
  const known: string[] = Object.values(STEERING);
  return Object.keys(isObject(annotations) ? annotations : {}).filter(
    (key) => key.startsWith('pulumi.com/') && !known.includes(key),
  );
}

/** How long to wait: the resource option, else the annotation, else ten minutes as the official provider does. */
export function timeoutOf(object: Props, timeoutMs: number | undefined): number {
  const seconds = Number(annotation(object, 'timeoutSeconds'));
  return timeoutMs ?? (Number.isInteger(seconds) && seconds > 0 ? seconds * 1000 : 600_000);
}
