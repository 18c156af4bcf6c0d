import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { UNKNOWN, type CallContext, type Props, type ResourceType } from '../shared';
import { schemaFailures, withoutNulls } from '../shared/input-schema';
import { EngineError, unlessGone, type EngineApi } from './engine-api';
import { labelMap, labelsSchema } from './labels';
import { autoName, isAutoName } from './names';
import { diffWithSets } from './unordered-diff';

const texts = z.record(z.string(), z.string());
const schema = z.strictObject({
  name: z.string().optional(),
  driver: z.string().optional(),
  options: texts.optional(),
  internal: z.boolean().optional(),
  attachable: z.boolean().optional(),
  ipv6: z.boolean().optional(),
  ipamDriver: z.string().optional(),
  ipamOptions: texts.optional(),
  ipamConfigs: z
    .array(
      z.strictObject({
        subnet: z.string().optional(),
        gateway: z.string().optional(),
        ipRange: z.string().optional(),
        auxAddress: texts.optional(),
      }),
    )
    .optional(),
  labels: labelsSchema.optional(),
});
type Inputs = z.infer<typeof schema>;

interface NetworkInfo {
  Id: string;
  Name: string;
  Driver: string;
  Scope: string;
  Internal: boolean;
  Options: Record<string, string> | null;
  IPAM: { Config: { Subnet?: string; Gateway?: string; IPRange?: string }[] | null };
}

/** How long a network may keep containers while it is being removed. */
const REMOVE_MS = 120_000;
const POLL_MS = 500;

/** `docker:index/network:Network`; every change makes a new one. */
export function network(engine: () => EngineApi): ResourceType {
  const inspect = (id: string, context: CallContext) =>
    unlessGone(engine().json<NetworkInfo>('GET', `/networks/${id}`, { signal: context.signal }));
  return {
    async check({ news, olds, randomSeed }, context) {
      const failures = schemaFailures(schema, news, context.type);
      const name = news.name ?? autoName(context.name, olds.name, randomSeed);
      return { inputs: { ipamDriver: 'default', ...withoutNulls(news), name }, failures };
    },
    async diff({ oldInputs, news }, context) {
      const changes = diffWithSets(oldInputs, news, ['labels', 'ipamConfigs'], Object.keys(news));
      return {
        changes: changes.map((change) => ({ ...change, replace: true })),
        // Two of one name cannot stand side by side.
        deleteBeforeReplace:
          news.name === oldInputs.name && !isAutoName(context.name, `${news.name}`),
      };
    },
    async preview({ inputs }) {
      const computed = ['driver', 'internal', 'ipamConfigs', 'options', 'scope'];
      return { ...Object.fromEntries(computed.map((key) => [key, UNKNOWN])), ...inputs };
    },
    async create({ inputs }, context) {
      const { Id } = await engine()
        .json<{ Id: string }>('POST', '/networks/create', {
          body: createBody(inputs as Inputs),
          signal: context.signal,
        })
        .catch((error: Error) => {
          throw new Error(`Unable to create network: ${error.message}`);
        });
      const info = await inspect(Id, context);
      if (info === undefined) throw new Error(`network ${Id} was removed right after its creation`);
      return { id: Id, outputs: outputsOf(inputs, info) };
    },
    async read({ id, inputs }, context) {
      const info = await inspect(id, context);
      if (info === undefined) return undefined;
      const now = { ...inputs, name: info.Name };
      return { id: info.Id, inputs: now, outputs: outputsOf(now, info) };
    },
    async delete({ id }, context) {
      const deadline = Date.now() + REMOVE_MS;
      for (;;) {
        try {
          await unlessGone(engine().json('DELETE', `/networks/${id}`, { signal: context.signal }));
          return;
        } catch (error) {
          const busy =
            error instanceof EngineError && error.message.includes('has active endpoints');
          if (!busy || Date.now() > deadline) throw error;
          context.status('waiting for its containers to go');
          await wait(POLL_MS, undefined, { signal: context.signal });
        }
      }
    },
  };
}

function createBody(inputs: Inputs): object {
  return {
    Name: inputs.name,
    // Docker 20.10 would else allow a second network of the same name.
    CheckDuplicate: true,
    Driver: inputs.driver,
    Options: inputs.options,
    Internal: inputs.internal,
    Attachable: inputs.attachable,
    EnableIPv6: inputs.ipv6,
    Labels: labelMap(inputs.labels),
    IPAM: {
      Driver: inputs.ipamDriver,
      Options: inputs.ipamOptions,
      Config: inputs.ipamConfigs?.map((config) => ({
        Subnet: config.subnet,
        Gateway: config.gateway,
        IPRange: config.ipRange,
        AuxiliaryAddresses: config.auxAddress,
      })),
    },
  };
}

function outputsOf(inputs: Props, info: NetworkInfo): Props {
  const configs = (info.IPAM.Config ?? []).map((config) => ({
    subnet: config.Subnet ?? '',
    gateway: config.Gateway ?? '',
    ipRange: config.IPRange ?? '',
  }));
  return {
    ...inputs,
    name: info.Name,
    driver: info.Driver,
    internal: info.Internal,
    options: info.Options ?? {},
    scope: info.Scope,
    ipamConfigs: configs,
  };
}
