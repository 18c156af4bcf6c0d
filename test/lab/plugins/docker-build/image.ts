import { join } from 'node:path';
import {
  containsUnknown,
  isObject,
  secret,
  UNKNOWN,
  type CallContext,
  type CheckFailure,
  type Props,
  type ResourceType,
  type Value,
} from '../shared';
import { schemaFailures, withoutNulls } from '../shared/input-schema';
import { hasExports, isPushed } from './build-arguments';
import { build } from './buildx';
import { contextHash, kindOf } from './context-hash';
import { diffImage } from './image-diff';
import { imageSchema, type ImageInputs, type Registry } from './image-schema';
import { parseReference, withDigest } from './reference';
import { deleteManifest, hasManifest } from './registry';

/** The provider's own settings. */
export interface Settings {
  host: string;
  registries: readonly Registry[];
}

/** `docker-build:index:Image`. A changed input or context builds again in place; nothing is ever replaced. */
export function image(settings: () => Settings): ResourceType {
  const run = (inputs: ImageInputs, preview: boolean, context: CallContext) =>
    build({ inputs, preview, ...settings() }, context);
  const registriesOf = (inputs: ImageInputs) => [
    ...settings().registries,
    ...(inputs.registries ?? []),
  ];

  async function make(props: Props, context: CallContext): Promise<Props> {
    const inputs = props as ImageInputs;
    if (!hasExports(inputs)) {
      context.log(
        'warning',
        'No exports were specified so the build will only remain in the local build cache. ' +
          'Use `push` to upload the image to a registry, or silence this warning with a `cacheonly` export.',
      );
    }
    const hash = hashOf(inputs);
    const digest = await run(inputs, false, context);
    return { ...props, contextHash: hash, digest, ref: refOf(inputs, digest) };
  }

  return {
    async check({ news }, context) {
      const inputs = complete(withoutNulls(news));
      const failures = [
        ...schemaFailures(imageSchema, inputs, context.type),
        ...placeFailures(inputs),
      ];
      return { inputs: hideCredentials(inputs), failures };
    },
    async diff({ oldInputs, oldOutputs, news }) {
      const hash = containsUnknown(news.context) ? '' : hashOf(news as ImageInputs);
      return { changes: diffImage(oldInputs, news, oldOutputs.contextHash ?? null, hash) };
    },
    async preview({ id, inputs, oldInputs }, context) {
      const unknown = { ...inputs, contextHash: UNKNOWN, digest: UNKNOWN, ref: UNKNOWN };
      if (inputs.buildOnPreview === false) return unknown;
      if (containsUnknown(inputs)) {
        context.log('warning', 'Skipping preview build because some inputs are unknown.');
        return unknown;
      }
      const known = inputs as ImageInputs;
      const digest = await run(known, true, context);
      // As with the official provider, the digest counts as known only where nothing but the content changed.
      const isSame = diffImage(oldInputs, inputs, '', '').length === 0;
      if (id === undefined || !isSame) return unknown;
      return { ...inputs, contextHash: hashOf(known), digest, ref: refOf(known, digest) };
    },
    async create({ inputs }, context) {
      const outputs = await make(inputs, context);
      return { id: `${outputs.digest || context.name}`, outputs };
    },
    async update({ inputs }, context) {
      return make(inputs, context);
    },
    async read({ id, inputs, outputs }, context) {
      const found = { id, inputs, outputs };
      const state = outputs as ImageInputs;
      if (!isPushed(state)) return found;
      const kept: string[] = [];
      for (const tag of state.tags ?? []) {
        const digest = `${outputs.digest}`;
        try {
          const isThere =
            withDigest(tag, digest) === undefined ||
            (await hasManifest(tag, digest, registriesOf(state), context));
          if (isThere) kept.push(tag);
          else context.log('warning', `${tag}@${digest} is not in its registry any more`);
        } catch (error) {
          const reason = (error as Error).message;
          context.log('warning', `unable to verify image tags, leaving state unchanged: ${reason}`);
          return found;
        }
      }
      if (kept.length === 0 && state.tags?.length) return undefined;
      return { ...found, outputs: { ...outputs, tags: kept } };
    },
    async delete({ outputs }, context) {
      const state = outputs as ImageInputs;
      const digest = `${outputs.digest ?? ''}`;
      if (digest === '' || !isPushed(state)) return;
      const tags = (state.tags ?? []).filter((tag) => withDigest(tag, digest) !== undefined);
      for (const tag of tags) await deleteManifest(tag, digest, registriesOf(state), context);
    },
  };
}

/** Fills in the default Dockerfile and network. */
function complete(news: Props): Props {
  const context: Value = news.context ?? { location: '.' };
  const inputs: Props = { network: 'default', ...news, context };
  const location = isObject(context) ? context.location : undefined;
  if (inputs.dockerfile === undefined && typeof location === 'string' && location !== UNKNOWN) {
    inputs.dockerfile = { location: join(location, 'Dockerfile') };
  }
  return inputs;
}

/** Passwords and build secrets are secret, whatever the program says. */
function hideCredentials(inputs: Props): Props {
  const { registries, secrets } = inputs;
  const hidden: Props = { ...inputs };
  if (secrets !== undefined) hidden.secrets = secret(secrets);
  if (Array.isArray(registries)) {
    hidden.registries = registries.map((registry) =>
      isObject(registry) && registry.password !== undefined
        ? { ...registry, password: secret(registry.password) }
        : registry,
    );
  }
  return hidden;
}

const isUrl = (location: string) => /^(https?|git|ssh):\/\/|^git@|^github\.com\//.test(location);

/** What the disk and the names say against the inputs. */
function placeFailures(inputs: Props): CheckFailure[] {
  const failures: CheckFailure[] = [];
  const fail = (property: string, reason: string) => failures.push({ property, reason });
  const { context, dockerfile, tags } = inputs;
  const location = isObject(context) ? context.location : undefined;
  if (typeof location === 'string' && location !== UNKNOWN && !isUrl(location)) {
    const reason = `"${location}": not a valid directory or URL`;
    if (kindOf(location) !== 'folder') fail('context.location', reason);
  }
  if (isObject(dockerfile)) {
    const { location: file, inline } = dockerfile;
    if (file && inline) fail('dockerfile', 'only specify "location" or "inline", not both');
    if (typeof file === 'string' && file !== UNKNOWN && !isUrl(file) && kindOf(file) !== 'file') {
      fail('dockerfile.location', `"${file}": no such file`);
    }
  }
  for (const [i, tag] of Array.isArray(tags) ? tags.entries() : []) {
    if (typeof tag !== 'string' || tag === UNKNOWN) continue;
    try {
      parseReference(tag);
    } catch (error) {
      fail(`tags[${i}]`, (error as Error).message);
    }
  }
  return failures;
}

function hashOf({ context, dockerfile }: ImageInputs): string {
  const named = Object.entries(context.named ?? {}).map(([name, at]) => [name, at.location]);
  return contextHash({
    context: context.location,
    dockerfile: dockerfile?.location,
    named: Object.fromEntries(named) as Record<string, string>,
  });
}

/** The first tag that names a registry, with the digest; else the first tag; else nothing. */
function refOf({ tags = [] }: ImageInputs, digest: string): string {
  const refs = digest === '' ? [] : tags.map((tag) => withDigest(tag, digest));
  return refs.find((ref) => ref !== undefined) ?? tags[0] ?? '';
}
