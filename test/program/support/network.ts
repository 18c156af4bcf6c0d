import { BlockList, isIPv4 } from 'node:net';
import type { EstateFlows } from '../../../components/network/flows';
import type { Declared } from './record';

/** Somebody on the network: a pod with its namespace and labels, or an address without. */
export interface Actor {
  readonly address: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
}
interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>;
}
interface Peer {
  readonly namespaceSelector?: Selector;
  readonly podSelector?: Selector;
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] };
}
interface Port {
  readonly protocol: string;
  readonly port: number;
}
interface Rule {
  readonly from?: readonly Peer[];
  readonly to?: readonly Peer[];
  readonly ports?: readonly Port[];
}
export interface NetworkPolicy {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: {
    readonly podSelector: Selector;
    readonly policyTypes: readonly string[];
    readonly ingress?: readonly Rule[];
    readonly egress?: readonly Rule[];
  };
}

export const NETWORK_POLICY = 'kubernetes:networking.k8s.io/v1:NetworkPolicy';

export const policiesOf = (declared: readonly Declared[]) =>
  declared
    .filter(({ type }) => type === NETWORK_POLICY)
    .map(({ inputs }) => inputs as unknown as NetworkPolicy);

/** The labels of each namespace's own by which policies know it. */
const namespaceLabels = (name: string) => ({ 'kubernetes.io/metadata.name': name });

const selects = ({ matchLabels = {} }: Selector, labels: Readonly<Record<string, string>>) =>
  Object.entries(matchLabels).every(([key, value]) => labels[key] === value);

/** The policies that hold for a pod. */
export const policiesFor = (policies: readonly NetworkPolicy[], pod: Actor) =>
  policies.filter(
    ({ metadata, spec }) =>
      metadata.namespace === pod.namespace && selects(spec.podSelector, pod.labels ?? {}),
  );

function within(address: string, cidr: string): boolean {
  const [base = '', bits = ''] = cidr.split('/');
  if (isIPv4(base) !== isIPv4(address)) return false;
  const list = new BlockList();
  list.addSubnet(base, Number(bits), isIPv4(base) ? 'ipv4' : 'ipv6');
  return list.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
}

/** Whether a peer of a rule in a namespace means somebody, as the API's reference defines it. */
function means(peer: Peer, actor: Actor, namespace: string): boolean {
  const { ipBlock, namespaceSelector, podSelector } = peer;
  if (ipBlock !== undefined)
    return (
      within(actor.address, ipBlock.cidr) &&
      !(ipBlock.except ?? []).some((except) => within(actor.address, except))
    );
  if (actor.namespace === undefined) return false;
  const there =
    namespaceSelector === undefined
      ? actor.namespace === namespace
      : selects(namespaceSelector, namespaceLabels(actor.namespace));
  return there && selects(podSelector ?? {}, actor.labels ?? {});
}

/** Whether the policies let one side of a call through. */
function passes(
  policies: readonly NetworkPolicy[],
  way: 'Ingress' | 'Egress',
  [self, other]: readonly [Actor, Actor],
  at: Port,
): boolean {
  if (self.namespace === undefined) return true;
  const isolating = policiesFor(policies, self).filter(({ spec }) =>
    spec.policyTypes.includes(way),
  );
  return (
    isolating.length === 0 ||
    isolating.some(({ metadata, spec }) =>
      ((way === 'Ingress' ? spec.ingress : spec.egress) ?? []).some((rule) => {
        const peers = rule.from ?? rule.to;
        const known =
          peers === undefined || peers.some((peer) => means(peer, other, metadata.namespace));
        const open =
          rule.ports === undefined ||
          rule.ports.some(({ protocol, port }) => protocol === at.protocol && port === at.port);
        return known && open;
      }),
    )
  );
}

/** Whether the policies let somebody call somebody else's port: each side's must. */
export const isAllowed = (
  policies: readonly NetworkPolicy[],
  from: Actor,
  to: Actor,
  at: Port,
): boolean =>
  passes(policies, 'Egress', [from, to], at) && passes(policies, 'Ingress', [to, from], at);

/** Rows of a Markdown table: each end, and whom it calls at which ports. */
export const flowRows = ({ flows }: EstateFlows): string[] =>
  [...new Set(flows.map(({ from }) => from))].map((from) => {
    const called = flows
      .filter((flow) => flow.from === from)
      .map(({ to, ports }) => `${to} ${[...new Set(ports.map(({ port }) => port))].join('/')}`);
    return `| ${from} | ${called.join(', ')} |`;
  });
