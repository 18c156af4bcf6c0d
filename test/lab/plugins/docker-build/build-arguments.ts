import type { Entry, ImageInputs } from './image-schema';

/** The variables that hand build secrets to buildx: they must not show in its arguments. */
export function secretEnv(inputs: ImageInputs): Record<string, string> {
  const values = Object.values(inputs.secrets ?? {});
  return Object.fromEntries(values.map((value, i) => [`BUILD_SECRET_${i}`, value]));
}

/**
 * The arguments of `buildx` for a build. A preview builds the same but pushes and writes nothing.
 *
 * @param metadataFile where buildx writes the digest.
 */
export function buildArguments(
  inputs: ImageInputs,
  metadataFile: string,
  preview: boolean,
): string[] {
  const { context, dockerfile, builder } = inputs;
  const each = (flag: string, values: readonly string[] = []) =>
    values.flatMap((value) => [flag, value]);
  const pairs = (flag: string, values: Record<string, string> = {}) =>
    each(
      flag,
      Object.entries(values).map(([key, value]) => `${key}=${value}`),
    );
  return [
    'build',
    '--progress=plain',
    `--metadata-file=${metadataFile}`,
    // The official provider turns the default attestation off as well.
    '--provenance=false',
    ...(builder?.name ? ['--builder', builder.name] : []),
    '--file',
    dockerfile?.inline ? '-' : (dockerfile?.location ?? ''),
    ...(inputs.platforms?.length ? ['--platform', inputs.platforms.join()] : []),
    ...each('--tag', inputs.tags),
    ...pairs('--build-arg', inputs.buildArgs),
    ...pairs('--label', inputs.labels),
    ...each(
      '--secret',
      Object.keys(inputs.secrets ?? {}).map((id, i) => `id=${id},env=BUILD_SECRET_${i}`),
    ),
    ...each('--add-host', inputs.addHosts),
    ...each('--cache-from', entries(inputs.cacheFrom)),
    ...each('--cache-to', preview ? [] : entries(inputs.cacheTo)),
    ...pairs(
      '--build-context',
      Object.fromEntries(
        Object.entries(context.named ?? {}).map(([name, { location }]) => [name, location]),
      ),
    ),
    ...(inputs.target ? ['--target', inputs.target] : []),
    ...(inputs.network ? ['--network', inputs.network] : []),
    ...(inputs.noCache ? ['--no-cache'] : []),
    ...(inputs.pull ? ['--pull'] : []),
    ...each('--output', preview ? ['type=image,push=false'] : outputs(inputs)),
    context.location,
  ];
}

/** `push` and `load` are short for two exports. */
function outputs(inputs: ImageInputs): string[] {
  return [
    ...entries(inputs.exports),
    ...(inputs.push ? ['type=registry'] : []),
    ...(inputs.load ? ['type=docker'] : []),
  ];
}

function entries(list: readonly Entry[] = []): string[] {
  return list.flatMap((entry) => {
    if (entry.disabled) return [];
    if (entry.raw !== undefined) return [entry.raw];
    return Object.entries(entry).map(([type, attributes]) =>
      [`type=${type}`, ...attributeList(attributes as Record<string, unknown>)].join(),
    );
  });
}

/** `forceCompression: true` is `force-compression=true`; `names` is one quoted `name`. */
function attributeList(attributes: Record<string, unknown>): string[] {
  return Object.entries(attributes).map(([key, value]) => {
    if (key === 'names' && Array.isArray(value)) return `"name=${value.join()}"`;
    if (key === 'ociMediaTypes') return `oci-mediatypes=${String(value)}`;
    return `${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}=${String(value)}`;
  });
}

/** Whether the build ends in a registry. */
export function isPushed(inputs: ImageInputs): boolean {
  return outputs(inputs).some((output) => /type=registry|push=true/.test(output));
}

/** Whether the build leaves anything but its cache. */
export function hasExports(inputs: ImageInputs): boolean {
  return outputs(inputs).length > 0 || (inputs.exports ?? []).length > 0;
}
