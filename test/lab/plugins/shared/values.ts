import { Struct, type JavaScriptValue } from 'google-protobuf/google/protobuf/struct_pb';

/** A property value as plugins see it: plain JSON, where {@link UNKNOWN} stands for "known only after the update". */
export type Value = null | boolean | number | string | Secret | Value[] | { [key: string]: Value };
export type Props = { [key: string]: Value };

/** How the engine writes a value that a preview cannot know yet. */
export const UNKNOWN = '04da6b54-80e4-46f7-96ec-b56ff0331ba9';

const SIGNATURE = '4dabf18193072939515e22adb298388d';
const SECRET = '1b47061264138c4ac30d75fd1eb44270';
const RESOURCE = '5cf8f73096256a8f31e491e813e4eb8e';
const OUTPUT = 'd0e6a833031e9bbcd3f4e8bde6ca49a4';
const ASSET = 'c44067f5952c0a294b673a41bacd8c17';
/** A list, bool, number … that is unknown has its own mark on the wire; all read as {@link UNKNOWN}. */
const TYPED_UNKNOWNS = new Set([
  UNKNOWN,
  '1c4a061d-8072-4f0a-a4cb-0ff528b18fe7',
  '3eeb2bf0-c639-47a8-9e75-3b44932eb421',
  '6a19a0b0-7e62-4c92-b797-7f8e31da9cc2',
  '030794c1-ac77-496b-92df-f27374a8bd58',
  'e48ece36-62e2-4504-bad9-02848725956a',
  'dd056dcd-154b-4c76-9bd3-c8f88648b5ff',
]);

/** Marks a value as secret where a plugin hands it back; {@link decode} has already taken the marks off what comes in. */
export class Secret {
  constructor(readonly value: Value) {}
}

/** `secret(x)` in outputs: the engine encrypts it in the state and masks it in what it prints. */
export const secret = (value: Value): Secret => new Secret(value);

export const isUnknown = (value: Value | undefined): boolean => value === UNKNOWN;

/** Whether anything inside is not known yet. */
export function containsUnknown(value: Value | undefined): boolean {
  if (isUnknown(value)) return true;
  if (value instanceof Secret) return containsUnknown(value.value);
  return typeof value === 'object' && value !== null && Object.values(value).some(containsUnknown);
}

export const isObject = (value: unknown): value is Props =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Secret);

/** The local path of an asset (`new pulumi.asset.FileAsset(path)`), its text, or nothing when it is not an asset. */
export function asAsset(value: Value): { path?: string; text?: string } | undefined {
  if (!isObject(value) || value[SIGNATURE] !== ASSET) return undefined;
  if (typeof value.path === 'string' && value.path !== '') return { path: value.path };
  return { text: typeof value.text === 'string' ? value.text : '' };
}

export type SecretPath = readonly (string | number)[];

/** Plain properties, and the places in them that were marked secret. */
export interface Decoded {
  props: Props;
  secrets: SecretPath[];
}

/** Reads the engine's properties. Resource references become ids; assets stay as they are. */
export function decode(struct: Struct | undefined): Decoded {
  const secrets: SecretPath[] = [];
  const strip = (value: JavaScriptValue, path: SecretPath): Value => {
    if (typeof value === 'string') return TYPED_UNKNOWNS.has(value) ? UNKNOWN : value;
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map((item, i) => strip(item, [...path, i]));
    const object = value as { [key: string]: JavaScriptValue };
    switch (object[SIGNATURE]) {
      case SECRET:
        secrets.push(path);
        return strip(object.value ?? null, path);
      case OUTPUT:
        if (object.secret === true) secrets.push(path);
        return 'value' in object ? strip(object.value ?? null, path) : UNKNOWN;
      case RESOURCE:
        return strip(object.id ?? object.urn ?? null, path);
      default:
        return Object.fromEntries(
          Object.entries(object).map(([key, item]) => [key, strip(item, [...path, key])]),
        );
    }
  };
  const props = struct === undefined ? {} : strip(struct.toJavaScript(), []);
  return { props: isObject(props) ? props : {}, secrets };
}

/** Writes properties for the engine; values at `secrets` that exist are marked, and `undefined` is left out. */
export function encode(props: Props, secrets: readonly SecretPath[] = []): Struct {
  return Struct.fromJavaScript(toWire(markSecrets(props, secrets)) as Record<string, never>);
}

/** `props` with the values at the given places wrapped as secrets (places that do not exist are ignored). */
export function markSecrets(props: Props, secrets: readonly SecretPath[]): Props {
  const mark = (value: Value, paths: readonly SecretPath[]): Value => {
    if (paths.length === 0 || value instanceof Secret) return value;
    if (paths.some((path) => path.length === 0)) return secret(value);
    const below = (key: string | number) =>
      paths.filter((path) => path[0] === key).map((path) => path.slice(1));
    if (Array.isArray(value)) return value.map((item, i) => mark(item, below(i)));
    if (!isObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([k, item]) => [k, mark(item, below(k))]));
  };
  return mark(props, secrets) as Props;
}

function toWire(value: Value | undefined): JavaScriptValue | undefined {
  if (value instanceof Secret) return { [SIGNATURE]: SECRET, value: toWire(value.value) ?? null };
  if (Array.isArray(value)) return value.map((item) => toWire(item) ?? null);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).flatMap(([key, item]) => {
    const wire = toWire(item);
    return wire === undefined ? [] : [[key, wire] as const];
  });
  return Object.fromEntries(entries);
}
