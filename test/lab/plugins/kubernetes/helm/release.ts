import {
  containsUnknown,
  InitError,
  isObject,
  UNKNOWN,
  type CallContext,
  type CheckFailure,
  type Props,
  type ResourceType,
} from '../../shared';
import { idOf, parseId, uniqueName } from '../objects/naming';
import { isUnreachable, type Session } from '../session';
import { chartMetadata, localChecksum } from './chart';
import { HelmError, withHelm, type Helm } from './command';
import * as from from './inputs';
import { releaseProblems } from './problems';
import { findRelease, mendRelease, releaseOutputs } from './state';

/** `helm.sh/v3:Release` over the `helm` command. */
export function releaseResource(session: Session): ResourceType {
  const use = <T>(inputs: Props, context: CallContext, run: (helm: Helm) => Promise<T>) =>
    withHelm(session, from.text(inputs.namespace), context.signal, run);

  /** Runs an install or upgrade; a release that is there but not ready stays in the state with the reasons. */
  const change = async (helm: Helm, inputs: Props, args: string[]): Promise<Props> => {
    const [name, namespace] = [from.text(inputs.name), from.text(inputs.namespace)];
    const values = await from.valuesArgs(helm, inputs);
    try {
      await helm(args[0]!, name, ...from.chartArgs(inputs), ...args.slice(1), ...values);
    } catch (error) {
      const live = await findRelease(helm, name);
      if (!(error instanceof HelmError) || live?.status !== 'failed') throw error;
      const reasons = [
        `the Helm release ${idOf(namespace, name)} exists but failed: ${error.reason}`,
        ...(await releaseProblems(session, helm, name, namespace)),
      ];
      const outputs = await releaseOutputs(helm, inputs, live);
      throw new InitError(idOf(namespace, name), outputs, reasons);
    }
    const live = await findRelease(helm, name);
    if (!live) throw new Error(`helm reported success, but there is no release ${name}`);
    return releaseOutputs(helm, inputs, live);
  };
  const install = (helm: Helm, inputs: Props) =>
    change(helm, inputs, ['install', ...from.installArgs(inputs)]);

  return {
    properties: from.PROPERTIES,
    replaceOn: ['name', 'namespace'],

    async check({ olds, news, randomSeed }, context) {
      const inputs: Props = { ...news };
      inputs.name ??= olds.name ?? uniqueName(context.name, randomSeed);
      if (inputs.name === '') inputs.name = uniqueName(context.name, randomSeed);
      inputs.namespace ||= session.text('namespace') ?? 'default';
      if (inputs.skipAwait !== true) inputs.timeout ??= from.TIMEOUT_S;
      const failures = checkRepository(inputs);
      if (containsUnknown(inputs) || failures.length > 0) return { inputs, failures };
      try {
        // What is recorded is the version that a range or "the latest" meant.
        const chart = await use(inputs, context, (helm) => chartMetadata(helm, inputs));
        inputs.version = chart.version;
        const checksum = await localChecksum(inputs);
        if (checksum !== undefined) inputs.checksum = checksum;
      } catch (error) {
        if (!(error instanceof HelmError)) throw error;
        const reason = `${error.reason}; check the chart name and repository configuration`;
        failures.push({ property: 'chart', reason });
      }
      return { inputs, failures };
    },

    async preview({ inputs }, context) {
      if (!containsUnknown(inputs))
        await use(inputs, context, (helm) => render(session, helm, inputs));
      return { ...inputs, status: UNKNOWN, resourceNames: UNKNOWN };
    },

    create: ({ inputs }, context) =>
      use(inputs, context, async (helm) => {
        const name = from.text(inputs.name);
        await mendRelease(helm, name, context);
        context.status(`installing ${name}`);
        const outputs = await install(helm, inputs);
        return { id: idOf(from.text(inputs.namespace), name), outputs };
      }),

    update: ({ inputs }, context) =>
      use(inputs, context, async (helm) => {
        const name = from.text(inputs.name);
        const before = await findRelease(helm, name);
        const mended = await mendRelease(helm, name, context);
        context.status(`upgrading ${name}`);
        if (before && !mended) return install(helm, inputs);
        return change(helm, inputs, ['upgrade', ...from.upgradeArgs(inputs)]);
      }),

    read: ({ id, inputs }, context) => {
      const { namespace = 'default', name } = parseId(id);
      return use({ namespace }, context, async (helm) => {
        const live = await findRelease(helm, name);
        if (!live) return undefined;
        const imported = Object.keys(inputs).length === 0;
        const known = imported
          ? { name, namespace, chart: live.chart, version: live.version, timeout: from.TIMEOUT_S }
          : inputs;
        return { id, inputs: known, outputs: await releaseOutputs(helm, known, live) };
      });
    },

    delete: ({ id, inputs }, context) => {
      const { namespace = 'default', name } = parseId(id);
      const wait = inputs.atomic === true || inputs.skipAwait !== true;
      const args = wait ? from.waitArgs({ ...inputs, skipAwait: false }) : [];
      return use({ namespace }, context, async (helm) => {
        await helm('uninstall', name, '--ignore-not-found', ...args);
      });
    },
  };
}

function checkRepository(inputs: Props): CheckFailure[] {
  const options = isObject(inputs.repositoryOpts) ? inputs.repositoryOpts : {};
  return Object.keys(options)
    .filter((key) => options[key] !== null && !from.REPOSITORY_PROPERTIES.includes(key))
    .map((key) => ({
      property: `repositoryOpts.${key}`,
      reason: `the lab does not implement repositoryOpts.${key}`,
    }));
}

/** Renders the chart with the values, so that a preview fails on what the chart would refuse. */
async function render(session: Session, helm: Helm, inputs: Props): Promise<void> {
  const values = await from.valuesArgs(helm, inputs);
  await helm(
    'template',
    from.text(inputs.name),
    ...from.chartArgs(inputs),
    ...values,
    ...(await version(session)),
  );
}

async function version(session: Session): Promise<string[]> {
  try {
    const cluster = await session.cluster();
    const { gitVersion } = await cluster.request<{ gitVersion: string }>('GET', '/version', {
      patienceMs: 0,
    });
    return ['--kube-version', gitVersion];
  } catch (error) {
    if (isUnreachable(error)) return [];
    throw error;
  }
}
