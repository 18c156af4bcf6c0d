import type { Operation } from '../types';
import type { Context } from './context';

/**
 * Why a worker must not go now: without it, and without the others that are going, there would be fewer Ready workers
 * than min_nodes. Looked up anew, since much may have happened since it was decided.
 */
export async function whyTooFew(
  { worker }: Pick<Operation, 'worker'>,
  { cluster, live, limits }: Pick<Context, 'cluster' | 'live' | 'limits'>,
): Promise<string | undefined> {
  const [nodes, operations] = await Promise.all([cluster.nodes(), live.operations()]);
  const going = new Set(
    operations.filter(({ kind }) => kind === 'down').map((operation) => operation.worker),
  );
  const others = nodes.filter(
    ({ name, ready, controlPlane }) =>
      ready && !controlPlane && name !== worker && !going.has(name),
  );
  if (others.length >= limits.minNodes) return undefined;
  return `without it ${others.length} Ready workers are left of at least ${limits.minNodes}`;
}
