import { UNKNOWN, type CallContext, type Props, type ResourceType } from '../shared';
import { schemaFailures, withoutNulls } from '../shared/input-schema';
import { ContainerHandle } from './container-lifecycle';
import { createBody, liveLimits } from './container-request';
import {
  containerDefaults,
  containerSchema,
  NOTED_ONLY,
  REPLACE_ON,
  SETS,
  UPDATED_LIVE,
  type ContainerInputs,
} from './container-schema';
import { importedInputs, inputsNow, outputsOf } from './container-state';
import type { EngineApi } from './engine-api';
import { ensureImage } from './images';
import { autoName } from './names';
import { diffWithSets } from './unordered-diff';

/** Outputs that the engine chooses when the program does not. */
const COMPUTED = [
  'bridge',
  'command',
  'containerLogs',
  'entrypoints',
  'envs',
  'exitCode',
  'hostname',
  'init',
  'ipcMode',
  'labels',
  'logDriver',
  'networkDatas',
  'platform',
  'runtime',
  'securityOpts',
  'shmSize',
  'stopSignal',
  'stopTimeout',
];

/** `docker:index/container:Container`. */
export function container(engine: () => EngineApi): ResourceType {
  return {
    async check({ news, olds, randomSeed }, context) {
      const failures = schemaFailures(containerSchema, news, context.type);
      const name = news.name ?? autoName(context.name, olds.name, randomSeed);
      return { inputs: { ...containerDefaults, ...withoutNulls(news), name }, failures };
    },
    async diff({ oldInputs, oldOutputs, news }) {
      // A container that was found stopped has `mustRun: false` in its outputs.
      const olds = { ...oldInputs, mustRun: oldOutputs.mustRun ?? oldInputs.mustRun ?? true };
      return { changes: diffWithSets(olds, news, SETS, REPLACE_ON), deleteBeforeReplace: true };
    },
    async preview({ id, inputs, oldOutputs }) {
      if (id !== undefined) return { ...oldOutputs, ...inputs };
      return { ...Object.fromEntries(COMPUTED.map((key) => [key, UNKNOWN])), ...inputs };
    },
    async create({ inputs }, context) {
      return create(engine(), inputs, context);
    },
    async read({ id, inputs, outputs }, context) {
      const info = await new ContainerHandle(engine(), id, context).inspect();
      if (info === undefined) return undefined;
      const given = Object.keys(inputs).length > 0 ? inputs : importedInputs(info);
      const logs = typeof outputs.containerLogs === 'string' ? outputs.containerLogs : undefined;
      const now = inputsNow(given, info);
      return { id: info.Id, inputs: now, outputs: outputsOf(now, info, logs) };
    },
    async update({ id, inputs, oldInputs, oldOutputs }, context) {
      const handle = new ContainerHandle(engine(), id, context);
      const differs = (key: string) =>
        JSON.stringify(inputs[key]) !== JSON.stringify(oldInputs[key]);
      if (oldOutputs.mustRun === false && inputs.mustRun === true && inputs.start === true) {
        await handle.start();
      }
      if (UPDATED_LIVE.some(differs)) await handle.update(liveLimits(inputs as ContainerInputs));
      const noted = NOTED_ONLY.filter(differs);
      if (noted.length > 0) {
        const which = noted.join(', ');
        context.log('warning', `${which}: noted; the running container keeps what it has`);
      }
      const logs = `${oldOutputs.containerLogs ?? ''}`;
      return outputsOf(inputs, await handle.inspectExisting(), logs);
    },
    async delete({ id, outputs }, context) {
      const graceSeconds = Number(outputs.destroyGraceSeconds ?? 0);
      await new ContainerHandle(engine(), id, context).remove({
        stop: outputs.attach !== true,
        graceSeconds,
        volumes: outputs.removeVolumes !== false,
      });
    },
  };
}

async function create(
  engine: EngineApi,
  props: Props,
  context: CallContext,
): Promise<{ id: string; outputs: Props }> {
  const inputs = props as ContainerInputs;
  const body = createBody(inputs);
  await ensureImage(engine, inputs.image, context).catch((error: Error) => {
    throw new Error(`Unable to create container with image ${inputs.image}: ${error.message}`);
  });
  context.status('creating');
  const { Id: id } = await engine
    .json<{ Id: string }>('POST', '/containers/create', {
      query: { name: inputs.name },
      body,
      signal: context.signal,
    })
    .catch((error: Error) => {
      throw new Error(`Unable to create container: ${error.message}`);
    });
  const handle = new ContainerHandle(engine, id, context);
  try {
    if (inputs.networksAdvanced?.length) await handle.join(inputs.networksAdvanced);
    if (inputs.uploads) await handle.upload(inputs.uploads);
    if (inputs.start) await handle.start();
    if (inputs.start && inputs.wait) {
      await handle.waitHealthy(inputs.waitTimeout ?? containerDefaults.waitTimeout);
    }
    if (inputs.attach) await handle.ended('not-running');
    const logs = inputs.attach && inputs.logs ? await handle.logs() : undefined;
    const info = await handle.inspectExisting();
    if (inputs.start && inputs.mustRun && !info.State.Running) {
      const found = await handle.failure(`it ended at once, exit code ${info.State.ExitCode}`);
      context.log('warning', found.message);
    }
    return { id, outputs: outputsOf(props, info, logs) };
  } catch (error) {
    // Half a container would block the next try by its name. It must go even when the user has cancelled.
    const signal = AbortSignal.timeout(120_000);
    await handle.remove({ stop: false, graceSeconds: 0, volumes: true, signal }).catch(() => {});
    throw error;
  }
}
