import type { Container } from '../../shared/kubernetes/types';
import { quantityToMillis } from '../../shared/quantity';
import type { AskedPod } from '../types';
import type { SentNames } from './sent-names';

/** A node as kube-scheduler sends it where it may not send names; answered as it came. */
export interface FullNode {
  readonly metadata: { readonly name: string };
}

/** What kube-scheduler asks: one pod, and nodes by name or in full. */
export interface ExtenderArgs {
  readonly pod: AskedPod;
  readonly names: readonly string[];
  /** The list that the names were taken from; undefined when names came. */
  readonly nodeList: { readonly items: readonly FullNode[] } | undefined;
}

/** A request that is no ExtenderArgs; says what is wrong. */
export class BadExtenderArgs extends Error {}

type Fields = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Reads the JSON of an ExtenderArgs (k8s.io/kube-scheduler/extender/v1), whose keys kube-scheduler writes as `Pod`,
 * `Nodes` and `NodeNames`, the one that is not used as null. Looks at no more of it than is needed.
 * @param sent names that are taken from there if the question ends with them.
 * @throws BadExtenderArgs
 */
export function parseExtenderArgs(text: string, sent?: SentNames): ExtenderArgs {
  const recalled = sent?.recall(text);
  let body: unknown;
  try {
    body = JSON.parse(recalled?.rest ?? text);
  } catch (error) {
    throw new BadExtenderArgs(`the body is not JSON: ${(error as Error).message}`);
  }
  if (!isObject(body)) throw new BadExtenderArgs('the body is no JSON object');
  const pod = podOf(body['Pod']);
  if (recalled !== undefined) return { pod, names: recalled.names, nodeList: undefined };
  const names = body['NodeNames'] ?? undefined;
  if (names !== undefined) {
    if (!Array.isArray(names) || !names.every((name) => typeof name === 'string'))
      throw new BadExtenderArgs('NodeNames: is no list of names');
    return { pod, names, nodeList: undefined };
  }
  const list = body['Nodes'] ?? undefined;
  if (list === undefined) throw new BadExtenderArgs('neither NodeNames nor Nodes is given');
  // Go writes an empty list as null.
  const items = isObject(list) ? (list['items'] ?? []) : undefined;
  if (!isObject(list) || !Array.isArray(items) || !items.every(isFullNode))
    throw new BadExtenderArgs('Nodes: is no NodeList whose items have names');
  return { pod, names: items.map(({ metadata }) => metadata.name), nodeList: { ...list, items } };
}

const isFullNode = (value: unknown): value is FullNode =>
  isObject(value) && isObject(value['metadata']) && typeof value['metadata']['name'] === 'string';

function podOf(value: unknown): AskedPod {
  const metadata = isObject(value) ? value['metadata'] : undefined;
  if (!isObject(value) || !isObject(metadata)) throw new BadExtenderArgs('Pod: is missing');
  const { name, namespace, uid } = metadata;
  if (typeof name !== 'string' || name === '')
    throw new BadExtenderArgs('Pod.metadata.name: is missing');
  const containers = isObject(value['spec']) ? value['spec']['containers'] : undefined;
  return {
    name,
    namespace: typeof namespace === 'string' ? namespace : '',
    uid: typeof uid === 'string' && uid !== '' ? uid : `${String(namespace)}/${name}`,
    cpuMillis: Array.isArray(containers) ? cpuMillisOf(containers as Container[]) : undefined,
  };
}

/** CPU that the containers request together, in thousandths of a processor; undefined when none requests any. */
export function cpuMillisOf(containers: readonly Container[]): number | undefined {
  let millis: number | undefined;
  for (const { resources } of containers) {
    const cpu = resources?.requests?.['cpu'];
    if (cpu === undefined) continue;
    try {
      millis = (millis ?? 0) + quantityToMillis(cpu);
    } catch {
      // The API server refuses what is no quantity; whoever else asks gets the default.
    }
  }
  return millis;
}
