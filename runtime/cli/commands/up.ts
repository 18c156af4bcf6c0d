import { readAutoscaler } from '../autoscaler-report';
import { readCluster, readScaledJobs } from '../cluster-objects';
import { collectResults, collectScaledResults, type JobResults } from '../collect-results';
import type { CommandContext, CommonOptions } from '../command-context';
import { openStack, runEngine } from '../engine';
import { describeChanges, isUnchanged } from '../engine-events';
import { openKube, type Kube } from '../kube';
import { readLatency } from '../latency-report';
import { mendLocks, mendState, stateResources } from '../mend-state';
import type { Phase } from '../progress';
import { prepareStack, type UnfiledStack } from '../project';
import { requireUnprotected } from '../protection';
import { readQueue } from '../queue-report';
import { forgettingUnreachable, revive } from '../revive';
import { runCommand } from '../run-command';
import { holdStack } from '../run-lock';
import { reportOf, requireApproval, safetyRules } from '../safety';
import { requireStackConfig } from '../stack-folder';
import { keepOutputs, keptOutputs, type StackOutputs } from '../stack-outputs';
import { modeOf } from '../scaled-job-rows';
import { statusOf } from '../status-shape';
import { autoscalingTable, latencyTable, resultTable } from '../tables';
import { watchJobs, watchScaledJobs } from '../watch-jobs';
import { openWorkbench, type Workbench } from '../workbench';

/** How long the posture jobs may take. */
const JOBS_LIMIT_MS = 15 * 60_000;
/** How long the ScaledJobs may take, which run one for each node at a time. */
const SCALED_JOBS_LIMIT_MS = 30 * 60_000;

const NOTHING: JobResults = { rows: [], problems: [] };

export interface UpOptions extends CommonOptions {
  /** Key of dangerous changes that are wanted all the same. */
  readonly approve?: string;
}

/** `npm run up`: brings the estate up, waits for its posture jobs and ScaledJobs, and shows what they came to. */
export async function up(context: CommandContext, options: UpOptions): Promise<number> {
  const { folder, progress, print, signal } = context;
  requireStackConfig(context.projectDir, folder.stack);
  const release = holdStack(folder, 'up');
  try {
    const bench = await progress.phase('Lab', (phase) => openWorkbench(folder, context.env, phase));
    signal.throwIfAborted();
    const change = await progress.phase(`Estate ${folder.stack}`, (phase) =>
      update(context, bench, phase, options),
    );
    const outputs = keptOutputs(folder);
    const kube = await openKube(folder.kubeconfig);
    const plain = await waitForJobs(context, kube, outputs);
    const scaled = await waitForScaledJobs(context, kube, outputs);
    const results = {
      rows: [...plain.rows, ...scaled.rows],
      problems: [...plain.problems, ...scaled.problems],
    };
    const say = options.json ? context.warn : print;
    say('');
    if (results.rows.length > 0) say(resultTable(results.rows));
    for (const line of results.problems) say(line);
    const latency = await readLatency(kube, outputs);
    if (latency !== null) say(latencyTable(latency));
    const autoscaling = await readAutoscaler(kube, outputs);
    if (autoscaling !== null) say(autoscalingTable(autoscaling));
    for (const [name, url] of Object.entries({ api: kube.server, ...outputs.urls }))
      say(`${name}: ${url}`);
    say(`kubeconfig: ${folder.kubeconfig}`);
    if (results.rows.length > 0) say(`results: ${folder.results}`);
    say(change);
    if (options.json) {
      const queue = await readQueue(kube, outputs);
      const cluster = await readCluster(kube);
      print(JSON.stringify(statusOf(cluster, new Map(), queue, { latency, autoscaling })));
    }
    return results.problems.length > 0 ? 1 : 0;
  } finally {
    release();
  }
}

/**
 * Lets the engine make what is declared; says what changed.
 * @param unfiled what a stack without a file of its own is made with.
 */
export async function update(
  { folder, signal, print }: CommandContext,
  bench: Workbench,
  phase: Phase,
  options: Pick<UpOptions, 'verbose' | 'approve'>,
  unfiled?: UnfiledStack,
): Promise<string> {
  const rules = safetyRules(folder);
  mendLocks(folder, phase);
  await prepareStack(folder, bench, bench.overrides, runCommand, unfiled);
  const stack = await openStack(folder, bench);
  await mendState(folder, bench, stack, phase);
  const guarded = { name: folder.stack, stack, protect: rules.protect };
  if (rules.protect === 'none') await requireUnprotected(guarded, 'changed', phase);
  const run = { phase, signal, ...(options.verbose ? { onOutput: showing(print) } : {}) };
  if (stateResources(folder).length > 0 && !(await revive(folder, bench, phase))) {
    await requireUnprotected(guarded, 'made anew, although the cluster is gone', phase);
    phase.line('the cluster is gone: removing what is left of it, and making it anew');
    const forgetting = await openStack(folder, forgettingUnreachable(bench));
    await runEngine(folder, forgetting, 'destroy', run);
  }
  if (rules.safety === 'strict' || rules.protect === 'datastores') {
    // The engine makes and deletes one by one, and would refuse only once it comes to what is protected.
    const planned = await runEngine(folder, stack, 'preview', { phase, signal });
    requireApproval(reportOf(planned.events, rules), rules, options.approve);
  }
  const result = await runEngine(folder, stack, 'up', run);
  keepOutputs(folder, result.outputs);
  for (const warning of result.warnings) phase.line(`warning: ${warning}`);
  const described = describeChanges(result.changes, 'done');
  phase.line(described);
  return isUnchanged(result.changes) ? described : `changes: ${described}`;
}

const showing = (print: (line: string) => void) => (text: string) => print(text.trimEnd());

async function waitForJobs(
  context: CommandContext,
  kube: Kube,
  { jobs = [] }: StackOutputs,
): Promise<JobResults> {
  if (jobs.length === 0) return NOTHING;
  const { folder, progress, signal } = context;
  return progress.phase('Posture jobs', async (phase) => {
    const ended = await watchJobs(kube, jobs, { phase, signal, limitMs: JOBS_LIMIT_MS });
    return collectResults(folder, kube, jobs, ended);
  });
}

/** Waits for the ScaledJobs that run once; the others never come to an end. */
async function waitForScaledJobs(
  context: CommandContext,
  kube: Kube,
  outputs: StackOutputs,
): Promise<JobResults> {
  const declared = new Set(outputs.scaledJobs ?? []);
  if (declared.size === 0) return NOTHING;
  const names = (await readScaledJobs(kube))
    .filter((one) => modeOf(one) === 'once')
    .map(({ metadata }) => metadata?.name ?? '')
    .filter((name) => declared.has(name))
    .sort();
  if (names.length === 0) return NOTHING;
  const { folder, progress, signal } = context;
  const ask = () => readQueue(kube, outputs);
  return progress.phase('ScaledJobs', async (phase) => {
    const options = { phase, signal, limitMs: SCALED_JOBS_LIMIT_MS };
    const seen = await watchScaledJobs(kube, names, ask, options);
    return collectScaledResults(folder, kube, names, seen, await ask());
  });
}
