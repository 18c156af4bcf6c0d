import { shortType } from '../urn';
import { listAt, objectAt, textAt } from './inputs';
import { clusterNodes, type ClusterNode } from './nodes';
import type { Danger, DisruptionBudget, DisruptionCost, PlannedStep } from './types';
import { several } from './words';

/** Fewer servers than this cannot lose one and go on: etcd needs more than half of them. */
const SERVERS_FOR_QUORUM = 3;

const DATASTORE_TYPES = new Set([
  'docker:index/volume:Volume',
  'kubernetes:core/v1:PersistentVolume',
  'kubernetes:core/v1:PersistentVolumeClaim',
  'kubernetes:apps/v1:StatefulSet',
]);
/** The usual label by which a workload of another kind says that it keeps data. */
const COMPONENT_LABEL = 'app.kubernetes.io/component';

/** What cannot be taken back, or takes away more than was agreed on. */
export function dangersOf(
  steps: readonly PlannedStep[],
  cost: DisruptionCost,
  podsStoppedBy: readonly string[],
  budget: DisruptionBudget,
): Danger[] {
  const nodes = clusterNodes(steps);
  return [
    ...lostData(steps, nodes),
    ...lostServers(nodes),
    ...overBudget(cost, podsStoppedBy, budget),
  ];
}

function lostData(steps: readonly PlannedStep[], nodes: readonly ClusterNode[]): Danger[] {
  const withTheirNode = volumesOfLeavingAgents(nodes);
  const lost = steps.filter(
    (step) =>
      (step.op === 'delete' || step.op === 'replace') &&
      isDatastore(step) &&
      !withTheirNode.has(textAt(step.old, 'name') ?? ''),
  );
  const groups = new Map<string, PlannedStep[]>();
  for (const step of lost) {
    const key = `${step.op} ${step.type}`;
    groups.set(key, [...(groups.get(key) ?? []), step]);
  }
  return [...groups.values()].map((group) => {
    const [{ op, type }] = group as [PlannedStep];
    const names = group.map(({ name }) => name);
    const verb = op === 'delete' ? 'deletes' : 'makes anew';
    return {
      rule: 'datastore',
      subjects: group.map(({ urn }) => `${op} ${urn}`),
      text: `${verb} ${several(shortType(type), names)}: what is in ${names.length > 1 ? 'them' : 'it'} is lost`,
    };
  });
}

function isDatastore({ type, old }: PlannedStep): boolean {
  if (DATASTORE_TYPES.has(type)) return true;
  return objectAt(old, 'metadata', 'labels')[COMPONENT_LABEL] === 'database';
}

/** The volumes of an agent that is taken out hold its caches and logs, and go with it. */
function volumesOfLeavingAgents(nodes: readonly ClusterNode[]): Set<string> {
  return new Set(
    nodes
      .filter(({ role, step }) => role === 'agent' && step.op === 'delete')
      .flatMap(({ step }) => listAt(step.old, 'volumes'))
      .flatMap((volume) => textAt(objectAt(volume), 'volumeName') ?? []),
  );
}

function lostServers(nodes: readonly ClusterNode[]): Danger[] {
  const servers = nodes.filter(({ role }) => role === 'server');
  const before = servers.filter(({ step }) => step.op !== 'create');
  const after = servers.filter(({ step }) => step.op !== 'delete');
  if (before.length < SERVERS_FOR_QUORUM || after.length >= SERVERS_FOR_QUORUM) return [];
  const gone = before.filter(({ step }) => step.op === 'delete').map(({ node }) => node);
  const text = `leaves ${after.length} of ${before.length} servers (without ${gone.join(', ')}): the next one that fails ends the control plane`;
  return [{ rule: 'servers', subjects: gone, text }];
}

function overBudget(
  { nodesGone, podsStopped }: DisruptionCost,
  podsStoppedBy: readonly string[],
  budget: DisruptionBudget,
): Danger[] {
  const dangers: Danger[] = [];
  const allowed = (what: 'nodes' | 'pods') =>
    `berth:disruptionBudget.${what} allows ${budget[what]}`;
  if (nodesGone.length > budget.nodes)
    dangers.push({
      rule: 'nodes',
      subjects: nodesGone,
      text: `takes away ${several('node', nodesGone)} at once; ${allowed('nodes')}`,
    });
  if (podsStopped > budget.pods)
    dangers.push({
      rule: 'pods',
      subjects: podsStoppedBy,
      text: `stops ${podsStopped} pods before others take their place; ${allowed('pods')}`,
    });
  return dangers;
}
