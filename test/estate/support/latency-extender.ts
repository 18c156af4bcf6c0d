import type { V1Pod } from '@kubernetes/client-node';
import { LATENCY_EXTENDER_NAME, NAMESPACES } from '../../../components/plan';
import type { FilterRule } from '../../../runtime/latency-extender/types';
import { proberScoresSchema } from '../../../runtime/shared/prober-scores';
import type { ExplainedNode } from '../../wire/support/latency-system';
import { SYSTEM, type EstateCluster } from './cluster';
import { waitUntil } from './wait-until';

/** The nodes of the dev estate, each with a prober. */
export const NODES = ['node-1', 'node-2', 'node-3', 'server'];

/** What the extender says of its nodes under /state, as far as the tests read it. */
export interface ExtenderState {
  readonly target: { readonly node: string | null; readonly why: string };
  readonly busiest: { readonly node: string; readonly requestsPerSecond: number } | null;
  readonly nothingFresh: boolean;
  readonly freshNodes: number;
  readonly nodes: readonly ExplainedNode[];
}

/** What one replica answered to one question of kube-scheduler. */
export interface Answer {
  readonly at: string;
  /** Nodes that it was asked about. */
  readonly asked: number;
  readonly nodes: readonly ExplainedNode[];
}

/** What /explain says of a pod. */
export interface Explanation {
  readonly pod: { readonly uid: string; readonly cpuMillis: number | null };
  readonly target: ExtenderState['target'];
  readonly nothingFresh: boolean;
  readonly boundTo: string | null;
  readonly filter?: Answer & {
    readonly passed: number;
    readonly rejected: Readonly<Partial<Record<FilterRule, number>>>;
  };
  readonly prioritize?: Answer & { readonly best: string | null };
  /** The replica that said so last. */
  readonly replica: string;
}

const PORT = 3001;
const PROBER_PORT = 3000;

const replicasOf = async (cluster: EstateCluster): Promise<V1Pod[]> =>
  (await cluster.pods(SYSTEM, `app.kubernetes.io/name=${LATENCY_EXTENDER_NAME}`)).filter(
    ({ metadata }) => metadata?.deletionTimestamp === undefined,
  );

const ask = async (cluster: EstateCluster, replica: V1Pod, path: string): Promise<unknown> =>
  JSON.parse(await cluster.pod(replica, PORT, path));

/** Waits until every replica says so: kube-scheduler may ask any of them. */
export async function waitForState(
  cluster: EstateCluster,
  what: string,
  holds: (state: ExtenderState) => boolean,
): Promise<void> {
  let seen: unknown;
  await waitUntil(
    `all replicas of the extender to see ${what}`,
    async () => {
      const replicas = await replicasOf(cluster);
      const states = (await Promise.all(
        replicas.map((replica) => ask(cluster, replica, '/state')),
      )) as ExtenderState[];
      seen = states;
      return states.length > 0 && states.every(holds);
    },
    { seen: () => seen },
  );
}

/** Whether a node takes pods. */
export const takesPods = (state: ExtenderState, name: string): boolean =>
  typeof nodeIn(state, name)?.score === 'number';

/** Why a node takes no pods; empty where it does. */
export const reasonIn = (state: ExtenderState, name: string): string =>
  (nodeIn(state, name) ?? { why: 'no fresh probe: no prober is known' }).why ?? '';

const nodeIn = (state: ExtenderState, name: string): ExplainedNode | undefined =>
  state.nodes.find(({ node }) => node === name);

/** What the replicas say of the last time that they were asked about a pod; undefined when none was. */
export async function explanationOf(
  cluster: EstateCluster,
  { metadata }: V1Pod,
): Promise<Explanation | undefined> {
  const path = `/explain/${metadata?.namespace}/${metadata?.name}`;
  const answers = await Promise.all(
    (await replicasOf(cluster)).map(async (replica) => ({
      ...((await ask(cluster, replica, path)) as Partial<Explanation>),
      replica: replica.metadata?.name ?? '',
    })),
  );
  const [last] = answers
    .filter((one): one is Explanation => one.pod?.uid === metadata?.uid && one.filter !== undefined)
    .sort((a, b) => (b.filter?.at ?? '').localeCompare(a.filter?.at ?? ''));
  if (last?.filter === undefined || last.prioritize !== undefined) return last;
  // Its connection may have ended between the two questions: then another replica has answered the second one.
  const filteredAt = last.filter.at;
  const second = answers.find(
    ({ pod, prioritize }) => pod?.uid === metadata?.uid && (prioritize?.at ?? '') >= filteredAt,
  );
  return second?.prioritize === undefined
    ? last
    : { ...last, prioritize: second.prioritize, replica: second.replica };
}

/** Processors of each node, as its prober counts them. */
export async function coresOf(cluster: EstateCluster): Promise<Map<string, number>> {
  const probers = await cluster.pods(NAMESPACES.probers);
  const scores = await Promise.all(
    probers.map(async (prober) =>
      proberScoresSchema.parse(JSON.parse(await cluster.pod(prober, PROBER_PORT, '/scores'))),
    ),
  );
  return new Map(scores.flatMap(({ node, cpu }) => (cpu === null ? [] : [[node, cpu.cores]])));
}
