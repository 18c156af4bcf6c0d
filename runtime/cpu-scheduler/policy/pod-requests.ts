import { quantityToMillis, quantityToUnits } from '../../shared/quantity';
import type { PodSpec, PodStatus, ResourceList } from '../../shared/kubernetes/types';
import type { Resources } from '../types';

/** Amounts by resource name: cpu in thousandths, all else in whole units. */
type Amounts = Map<string, number>;

const toAmounts = (list: ResourceList | undefined): Amounts =>
  new Map(
    Object.entries(list ?? {}).map(([name, quantity]) => [
      name,
      name === 'cpu' ? quantityToMillis(quantity) : quantityToUnits(quantity),
    ]),
  );

function add(to: Amounts, more: Amounts): void {
  for (const [name, amount] of more) to.set(name, (to.get(name) ?? 0) + amount);
}

function raise(to: Amounts, atLeast: Amounts): void {
  for (const [name, amount] of atLeast) to.set(name, Math.max(to.get(name) ?? 0, amount));
}

const isPodLevel = (name: string): boolean =>
  name === 'cpu' || name === 'memory' || name.startsWith('hugepages-');

/**
 * What a pod asks for, as kube-scheduler counts it: the containers together, and those init containers that stay
 * (restartPolicy Always); or, where that is more, the hungriest moment of starting up; pod-level requests in their
 * place where given; plus overhead. A container resized in place counts with the larger of spec and status.
 * @throws QuantityError
 */
export function podRequests(spec: PodSpec, status?: PodStatus): Resources {
  const total: Amounts = new Map();
  for (const container of spec.containers) {
    const amounts = toAmounts(container.resources?.requests);
    const actual = status?.containerStatuses?.find(({ name }) => name === container.name);
    if (actual?.resources !== undefined) raise(amounts, toAmounts(actual.resources.requests));
    if (actual?.allocatedResources !== undefined)
      raise(amounts, toAmounts(actual.allocatedResources));
    add(total, amounts);
  }
  const sidecars: Amounts = new Map();
  const starting: Amounts = new Map();
  for (const container of spec.initContainers ?? []) {
    const amounts = toAmounts(container.resources?.requests);
    if (container.restartPolicy === 'Always') {
      add(total, amounts);
      add(sidecars, amounts);
      raise(starting, sidecars);
    } else {
      add(amounts, sidecars);
      raise(starting, amounts);
    }
  }
  raise(total, starting);
  for (const [name, amount] of toAmounts(spec.resources?.requests)) {
    if (isPodLevel(name)) total.set(name, amount);
  }
  add(total, toAmounts(spec.overhead));
  return toResources(total);
}

const NAMED = new Set(['cpu', 'memory', 'ephemeral-storage', 'pods']);

function toResources(amounts: Amounts): Resources {
  return {
    cpuMillis: amounts.get('cpu') ?? 0,
    memoryBytes: amounts.get('memory') ?? 0,
    ephemeralStorageBytes: amounts.get('ephemeral-storage') ?? 0,
    others: new Map([...amounts].filter(([name, amount]) => !NAMED.has(name) && amount > 0)),
  };
}

/** What a node offers. @throws QuantityError */
export const nodeResourcesOf = (allocatable: ResourceList | undefined): Resources =>
  toResources(toAmounts(allocatable));
