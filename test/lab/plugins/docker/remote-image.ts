import { z } from 'zod';
import { UNKNOWN, type Props, type ResourceType } from '../shared';
import { schemaFailures, withoutNulls } from '../shared/input-schema';
import { unlessGone, type EngineApi } from './engine-api';
import { ensureImage, inspectImage, pullQuery, type ImageInfo } from './images';
import { diffWithSets } from './unordered-diff';

// `build` is left out: images are built by docker-build.
const schema = z.strictObject({
  name: z.string().min(1),
  keepLocally: z.boolean().optional(),
  forceRemove: z.boolean().optional(),
  platform: z.string().optional(),
  pullTriggers: z.array(z.string()).optional(),
  triggers: z.record(z.string(), z.string()).optional(),
});

const REPLACE_ON = ['name', 'platform', 'pullTriggers', 'triggers'];

/** `docker:index/remoteImage:RemoteImage`: an image that the engine has, pulled when it does not. */
export function remoteImage(engine: () => EngineApi): ResourceType {
  return {
    async check({ news }, context) {
      const failures = schemaFailures(schema, news, context.type);
      return { inputs: withoutNulls(news), failures };
    },
    async diff({ oldInputs, news }) {
      return { changes: diffWithSets(oldInputs, news, ['pullTriggers'], REPLACE_ON) };
    },
    async preview({ inputs, oldOutputs }) {
      return { imageId: UNKNOWN, repoDigest: UNKNOWN, ...oldOutputs, ...inputs };
    },
    async create({ inputs }, context) {
      const name = `${inputs.name}`;
      const platform = typeof inputs.platform === 'string' ? inputs.platform : undefined;
      const image = await ensureImage(engine(), name, context, platform || undefined);
      return { id: image.Id + name, outputs: outputsOf(inputs, image) };
    },
    async read({ id, inputs, outputs }, context) {
      // On import only the id is known: the image's own id and the name.
      const name = `${outputs.name ?? inputs.name ?? id.replace(/^sha256:[0-9a-f]{64}/, '')}`;
      const image = await inspectImage(engine(), name, context.signal);
      if (image === undefined) return undefined;
      const now = { ...inputs, name };
      return { id: image.Id + name, inputs: now, outputs: outputsOf(now, image) };
    },
    async update({ inputs }, context) {
      return outputsOf(inputs, await ensureImage(engine(), `${inputs.name}`, context));
    },
    async delete({ outputs }, context) {
      if (outputs.keepLocally === true) return;
      const query = { force: outputs.forceRemove === true };
      await unlessGone(
        engine().json('DELETE', `/images/${outputs.name}`, { query, signal: context.signal }),
      );
    },
  };
}

function outputsOf(inputs: Props, image: ImageInfo): Props {
  const { fromImage } = pullQuery(`${inputs.name}`);
  const repoDigest = (image.RepoDigests ?? []).find((digest) => digest.startsWith(`${fromImage}@`));
  return { ...inputs, imageId: image.Id, repoDigest: repoDigest ?? image.RepoDigests?.[0] ?? '' };
}
