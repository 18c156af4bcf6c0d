import { readCluster } from '../cluster-objects';
import { collectResults } from '../collect-results';
import type { CommandContext, CommonOptions } from '../command-context';
import { openStack, runEngine } from '../engine';
import { describeChanges, isUnchanged } from '../engine-events';
import { openKube, type Kube } from '../kube';
import { mendLocks, mendState, startStopped, stateResources } from '../mend-state';
import type { Phase } from '../progress';
import { prepareStack } from '../project';
import { waitForAnswer } from '../reachable';
import { runCommand } from '../run-command';
import { holdStack } from '../run-lock';
import { requireStackConfig } from '../stack-folder';
import { keepOutputs, keptOutputs, type StackOutputs } from '../stack-outputs';
import { statusOf } from '../status-shape';
import { resultTable } from '../tables';
import { watchJobs } from '../watch-jobs';
import { openWorkbench, type Workbench } from '../workbench';

/** How long the posture jobs may take. */
const JOBS_LIMIT_MS = 15 * 60_000;

/** How long a cluster that was there may take to answer, before and after its containers were started again. */
const ANSWER_MS = 5_000;
const RESTART_MS = 90_000;

/** `npm run up`: brings the estate up, waits for its posture jobs, and shows what they came to. */
export async function up(context: CommandContext, options: CommonOptions): Promise<number> {
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
    const results = await waitForJobs(context, kube, outputs);
    const say = options.json ? context.warn : print;
    say('');
    if (results.rows.length > 0) say(resultTable(results.rows));
    for (const line of results.problems) say(line);
    for (const [name, url] of Object.entries({ api: kube.server, ...outputs.urls }))
      say(`${name}: ${url}`);
    say(`kubeconfig: ${folder.kubeconfig}`);
    if (results.rows.length > 0) say(`results: ${folder.results}`);
    say(change);
    if (options.json) print(JSON.stringify(statusOf(await readCluster(kube), new Map())));
    return results.problems.length > 0 ? 1 : 0;
  } finally {
    release();
  }
}

/** Lets the engine make what is declared; says what changed. */
async function update(
  { folder, signal, print }: CommandContext,
  bench: Workbench,
  phase: Phase,
  options: CommonOptions,
): Promise<string> {
  mendLocks(folder, phase);
  await prepareStack(folder, bench, bench.overrides, runCommand);
  const stack = await openStack(folder, bench);
  await mendState(folder, bench, stack, phase);
  const gone = await clusterIsGone(folder.kubeconfig, async () => {
    if (stateResources(folder).length === 0) return false;
    phase.line('the cluster does not answer: starting its containers');
    await startStopped(folder, bench, phase);
    return true;
  });
  if (gone) phase.line('the cluster is gone: comparing the state with what is there');
  const env = gone ? { ...bench.env, PULUMI_K8S_DELETE_UNREACHABLE: 'true' } : bench.env;
  const run = gone ? await openStack(folder, { ...bench, env }) : stack;
  const result = await runEngine(folder, run, 'up', {
    phase,
    signal,
    refresh: gone,
    ...(options.verbose ? { onOutput: (text) => print(text.trimEnd()) } : {}),
  });
  keepOutputs(folder, result.outputs);
  for (const warning of result.warnings) phase.line(`warning: ${warning}`);
  const described = describeChanges(result.changes, 'done');
  phase.line(described);
  return isUnchanged(result.changes) ? described : `changes: ${described}`;
}

/** True where there was a cluster, it does not answer, and it does not come back when it is started. */
async function clusterIsGone(kubeconfig: string, start: () => Promise<boolean>): Promise<boolean> {
  if (await waitForAnswer(kubeconfig, ANSWER_MS)) return false;
  if (!(await start())) return false;
  return !(await waitForAnswer(kubeconfig, RESTART_MS));
}

async function waitForJobs(context: CommandContext, kube: Kube, { jobs = [] }: StackOutputs) {
  if (jobs.length === 0) return { rows: [], problems: [] };
  const { folder, progress, signal } = context;
  return progress.phase('Posture jobs', async (phase) => {
    const ended = await watchJobs(kube, jobs, { phase, signal, limitMs: JOBS_LIMIT_MS });
    return collectResults(folder, kube, jobs, ended);
  });
}
