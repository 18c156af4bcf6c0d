import type { EngineEvent } from '@pulumi/pulumi/automation';
import { dangersOf } from './dangers';
import { clusterNodes, isLabels, nodeChanges } from './nodes';
import { secretChanges } from './secrets';
import { plannedSteps } from './steps';
import type {
  DisruptionBudget,
  DisruptionCost,
  NodeChange,
  PlannedStep,
  PreviewReport,
  WorkloadChange,
} from './types';
import { workloadChanges } from './workloads';

/**
 * What people want to know of a preview.
 * @param events all events of one preview.
 * @param budget how much may go at once without being a danger.
 */
export function previewReport(
  events: readonly EngineEvent[],
  budget: DisruptionBudget,
): PreviewReport {
  const steps = plannedSteps(events);
  const before = clusterNodes(steps).filter(({ step }) => step.op !== 'create').length;
  const nodes = nodeChanges(steps);
  const workloads = workloadChanges(steps, before > 0 ? before : undefined);
  const stopped = workloads.filter(({ what }) => what !== 'roll');
  const cost: DisruptionCost = {
    nodesGone: nodes.filter(isGone).map(({ node }) => node),
    nodesBefore: before,
    podsStopped: podsOf(stopped),
    podsRolled: podsOf(workloads.filter(({ what }) => what === 'roll')),
    unknown: workloads
      .filter(({ podsGone }) => podsGone === undefined)
      .map(({ kind, name }) => `${kind} ${name}`),
  };
  const stoppedBy = stopped.filter(({ podsGone = 0 }) => podsGone > 0).map(({ urn }) => urn);
  const real = steps.filter(({ isReal, op }) => isReal && op !== 'same');
  const named = new Set(workloads.map(({ urn }) => urn));
  return {
    counts: countsOf(real),
    dangers: dangersOf(steps, cost, stoppedBy, budget),
    cost,
    nodes,
    workloads,
    replaced: real.filter(({ op }) => op === 'replace'),
    secrets: secretChanges(steps),
    others: real.filter((step) => step.op !== 'replace' && !named.has(step.urn) && !isLabels(step)),
  };
}

const isGone = ({ what }: NodeChange) => what === 'leave' || what === 'replace';

const podsOf = (workloads: readonly WorkloadChange[]): number =>
  workloads.reduce((sum, { podsGone = 0 }) => sum + podsGone, 0);

function countsOf(steps: readonly PlannedStep[]): PreviewReport['counts'] {
  const counts: Partial<Record<PlannedStep['op'], number>> = {};
  for (const { op } of steps) counts[op] = (counts[op] ?? 0) + 1;
  return counts;
}
