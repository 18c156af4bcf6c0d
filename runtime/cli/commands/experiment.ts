import { resolve, join } from 'node:path';
import { KubeLoads, hasLoadTemplate } from '../../experiment/adapters/kube-loads';
import { watchPods } from '../../experiment/adapters/kube-watch';
import { KubeWorkloads } from '../../experiment/adapters/kube-workloads';
import { directly, readCpu, throughApi } from '../../experiment/adapters/prometheus-range';
import { ExperimentError } from '../../experiment/experiment-error';
import { EXPERIMENT_NAMESPACE, WORKLOADS } from '../../experiment/names';
import { planRounds } from '../../experiment/policy/plan';
import type { ExperimentPorts } from '../../experiment/ports';
import { runExperiment, undoExperiment } from '../../experiment/run';
import { systemClock } from '../../shared/clock';
import { KubeApi } from '../../shared/kubernetes/api';
import { ApiError, ApiUnreachableError } from '../../shared/kubernetes/api-error';
import { loadConnection } from '../../shared/kubernetes/connection';
import { createLogger } from '../../shared/log';
import type { CommandContext, CommonOptions } from '../command-context';
import { formatDuration } from '../duration';
import {
  readFlags,
  requireEstate,
  ResultsFolder,
  type ExperimentChoice,
  type ExperimentFlags,
} from '../experiment';
import { holdStack } from '../run-lock';
import { proxiedService, proxyPath } from '../service-proxy';
import { keptOutputs, type StackOutputs } from '../stack-outputs';
import { UserError } from '../user-error';

const REQUEST_LIMIT_MS = 30_000;
const INTERRUPTED = 130;
/** What a round takes beside its load and its rest, as far as is known before. */
const ROUND_OVERHEAD_MS = 45_000;

export type ExperimentOptions = CommonOptions & ExperimentFlags;

/** `npm run experiment`: the same load, each scheduler in turn, on the estate that is up; then a report. */
export async function experiment(
  context: CommandContext,
  options: ExperimentOptions,
): Promise<number> {
  const { folder, print, warn, signal, progress } = context;
  const choice = readFlags(options);
  const outputs = keptOutputs(folder);
  requireEstate(folder, outputs, options.restore ? [] : choice.schedulers);
  const plan = planRounds(choice.schedulers, choice.rounds, choice.seed);
  const results = new ResultsFolder(
    options.out === undefined
      ? join(folder.results, 'experiments', new Date().toISOString().replace(/[:.]/g, '-'))
      : resolve(context.env.INIT_CWD ?? '.', options.out),
  );
  const release = holdStack(folder, 'experiment');
  const api = new KubeApi(await loadConnection(folder.kubeconfig), {
    timeoutMs: REQUEST_LIMIT_MS,
    connections: 16,
    userAgent: 'berth-experiment',
  });
  try {
    if (options.restore) {
      await undoExperiment(portsOf(api, choice, outputs, () => undefined));
      print('the workloads are as they were before any experiment; no load is left');
      return 0;
    }
    await requireExperiment(api);
    await results.begin(choice, plan);
    const roundMs = (choice.load.options.durationSeconds + choice.settleSeconds) * 1000;
    const aboutMs = plan.length * (roundMs + ROUND_OVERHEAD_MS);
    const title = `Experiment: ${plan.length === 1 ? '1 round' : `${plan.length} rounds`}, about ${formatDuration(aboutMs)}`;
    const ended = await progress.phase(title, (phase) =>
      runExperiment(
        portsOf(api, choice, outputs, (text) => phase.line(text)),
        {
          plan,
          services: WORKLOADS.map(({ service }) => service),
          settleMs: choice.settleSeconds * 1000,
          keep: (round, text) => results.keep(round, text),
          show: async ({ scheduler, round }, run) => {
            const item = phase.begin(`${scheduler}, round ${round} of ${choice.rounds}`);
            let last = '';
            try {
              await run((text) => item.detail((last = text)));
              item.done(last);
            } catch (error) {
              item.failed(last);
              throw error;
            }
          },
        },
        systemClock,
        signal,
      ),
    );
    if (ended < plan.length) warn(`stopped after ${ended} of ${plan.length} rounds`);
    if (ended > 0) print(`report: ${await results.report()}`);
    return signal.aborted ? INTERRUPTED : 0;
  } catch (error) {
    const kept =
      results.rounds > 0 ? `; raw data of ${results.rounds} rounds: ${results.path}` : '';
    if (error instanceof ApiUnreachableError)
      throw new UserError(
        `cluster at ${api.connection.origin} does not answer: ${error.message}${kept}`,
        { cause: error },
      );
    if (error instanceof ExperimentError || error instanceof ApiError)
      throw new UserError(`${error.message}${kept}`, { cause: error });
    throw error;
  } finally {
    await api.close();
    release();
  }
}

function portsOf(
  api: KubeApi,
  { load }: ExperimentChoice,
  { urls = {}, cpuQuery }: StackOutputs,
  say: (text: string) => void,
): ExperimentPorts {
  const url = urls.prometheus ?? '';
  const service = proxiedService(url);
  const ask = service === undefined ? directly(url) : throughApi(api, proxyPath(service, ''));
  const known = url !== '' && cpuQuery !== undefined;
  if (!known) say('the estate does not say where Prometheus is: the CPU of nodes stays unknown');
  // Nobody reads the lines of a service here, and watches mend themselves.
  const log = createLogger('experiment', 'silent');
  return {
    workloads: new KubeWorkloads(api, systemClock),
    loads: new KubeLoads(api, load, systemClock),
    watch: (signal) => watchPods(api, systemClock, log, signal),
    cpu: { range: async (span) => (known ? readCpu(api, ask, cpuQuery, span) : []) },
  };
}

/** @throws UserError where the cluster lacks what the experiment takes. */
async function requireExperiment(api: KubeApi): Promise<void> {
  if (!(await hasLoadTemplate(api)))
    throw new UserError(
      `namespace ${EXPERIMENT_NAMESPACE} has no load generator: npm run up again`,
    );
  try {
    await api.request({
      method: 'GET',
      path: `/apis/metrics.k8s.io/v1beta1/namespaces/${EXPERIMENT_NAMESPACE}/pods`,
    });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    throw new UserError(
      `the cluster has no metrics of pods, without which autoscalers do nothing (${error.message}): set berth:platform.metricsServer.enabled to true, then npm run up again`,
      { cause: error },
    );
  }
}
