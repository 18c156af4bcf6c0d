import { describeChanges } from './describe';
import { listAt, objectAt, textAt } from './inputs';
import type { NodeChange, NodeRole, PlannedStep } from './types';

const CONTAINER = 'docker:index/container:Container';
/** Components that stand for a host of the cluster: their names are those of the nodes. */
const HOSTS: Readonly<Record<string, NodeRole>> = {
  'berth:hosts:K3sServer': 'server',
  'berth:hosts:K3sAgent': 'agent',
};

/** A resource that is a node of the cluster. */
export interface ClusterNode {
  readonly node: string;
  readonly role: NodeRole;
  readonly step: PlannedStep;
}

/** The nodes that the estate makes: k3s containers, and hosts. */
export function clusterNodes(steps: readonly PlannedStep[]): ClusterNode[] {
  return steps.flatMap((step) => {
    const host = HOSTS[step.type];
    if (host !== undefined) return [{ node: step.name, role: host, step }];
    if (step.type !== CONTAINER) return [];
    const inputs = step.old ?? step.new;
    const [role] = listAt(inputs, 'command');
    if (role !== 'server' && role !== 'agent') return [];
    return [{ node: textAt(inputs, 'hostname') ?? step.name, role, step }];
  });
}

const CHANGES = {
  create: 'join',
  delete: 'leave',
  replace: 'replace',
  update: 'update',
  import: 'join',
} as const;

/** What happens to each node: those that change as machines, then those of which only the labels do. */
export function nodeChanges(steps: readonly PlannedStep[]): NodeChange[] {
  const changed = clusterNodes(steps).flatMap(({ node, role, step }): NodeChange[] => {
    if (step.op === 'same' || step.op === 'read' || step.op === 'refresh') return [];
    const why = describeChanges(step, { onlyReplacing: step.op === 'replace' });
    return [{ node, role, what: CHANGES[step.op], why }];
  });
  const seen = new Set(changed.map(({ node }) => node));
  return [...changed, ...labelChanges(steps).filter(({ node }) => !seen.has(node))];
}

/** True for the labels that the estate gives a node. */
export const isLabels = ({ type }: PlannedStep): boolean => type === 'kubernetes:core/v1:NodePatch';

function labelChanges(steps: readonly PlannedStep[]): NodeChange[] {
  return steps
    .filter((step) => isLabels(step) && step.op !== 'same')
    .map((step) => {
      const node = textAt(objectAt(step.old ?? step.new, 'metadata'), 'name') ?? step.name;
      return { node, what: 'label' as const, why: labelReasons(step) };
    });
}

function labelReasons(step: PlannedStep): string[] {
  if (step.op === 'delete') return ['its labels are taken off'];
  if (step.op === 'create') return ['it is given its labels'];
  return describeChanges(step);
}
