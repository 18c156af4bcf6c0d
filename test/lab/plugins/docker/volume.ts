import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { UNKNOWN, type CallContext, type Props, type ResourceType } from '../shared';
import { schemaFailures, withoutNulls } from '../shared/input-schema';
import { EngineError, unlessGone, type EngineApi } from './engine-api';
import { labelMap, labelsSchema, type Labels } from './labels';
import { autoName, isAutoName } from './names';
import { diffWithSets } from './unordered-diff';

const schema = z.strictObject({
  name: z.string().optional(),
  driver: z.string().optional(),
  driverOpts: z.record(z.string(), z.string()).optional(),
  labels: labelsSchema.optional(),
});

interface VolumeInfo {
  Name: string;
  Driver: string;
  Mountpoint: string;
}

/** How long a volume may stay in use while it is being removed. */
const REMOVE_MS = 120_000;
const POLL_MS = 500;

/** `docker:index/volume:Volume`; every change makes a new one. */
export function volume(engine: () => EngineApi): ResourceType {
  const inspect = (name: string, context: CallContext) =>
    unlessGone(engine().json<VolumeInfo>('GET', `/volumes/${name}`, { signal: context.signal }));
  return {
    async check({ news, olds, randomSeed }, context) {
      const failures = schemaFailures(schema, news, context.type);
      const name = news.name ?? autoName(context.name, olds.name, randomSeed);
      return { inputs: { ...withoutNulls(news), name }, failures };
    },
    async diff({ oldInputs, news }, context) {
      const changes = diffWithSets(oldInputs, news, ['labels'], []);
      return {
        changes: changes.map((change) => ({ ...change, replace: true })),
        deleteBeforeReplace:
          news.name === oldInputs.name && !isAutoName(context.name, `${news.name}`),
      };
    },
    async preview({ inputs }) {
      return { driver: UNKNOWN, mountpoint: UNKNOWN, ...inputs };
    },
    async create({ inputs }, context) {
      const body = {
        Name: inputs.name,
        Driver: inputs.driver,
        DriverOpts: inputs.driverOpts,
        Labels: labelMap(inputs.labels as Labels | undefined),
      };
      const info = await engine()
        .json<VolumeInfo>('POST', '/volumes/create', { body, signal: context.signal })
        .catch((error: Error) => {
          throw new Error(`Unable to create volume: ${error.message}`);
        });
      return { id: info.Name, outputs: outputsOf(inputs, info) };
    },
    async read({ id, inputs }, context) {
      const info = await inspect(id, context);
      if (info === undefined) return undefined;
      const now = { ...inputs, name: info.Name };
      return { id, inputs: now, outputs: outputsOf(now, info) };
    },
    async delete({ id }, context) {
      const deadline = Date.now() + REMOVE_MS;
      for (;;) {
        try {
          await unlessGone(engine().json('DELETE', `/volumes/${id}`, { signal: context.signal }));
          return;
        } catch (error) {
          const busy = error instanceof EngineError && error.status === 409;
          if (!busy || Date.now() > deadline) throw error;
          context.status('waiting for its containers to go');
          await wait(POLL_MS, undefined, { signal: context.signal });
        }
      }
    },
  };
}

function outputsOf(inputs: Props, info: VolumeInfo): Props {
  return { ...inputs, name: info.Name, driver: info.Driver, mountpoint: info.Mountpoint };
}
