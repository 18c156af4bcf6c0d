import type { EstateConfig } from '../config';
import { ownNamespaces, type Endpoint, type EndpointName, type Pods } from './endpoints';
import { estateFlows, type EstateFlows, type Flow, type Port } from './flows';

/** One side of a rule of a NetworkPolicy. */
export interface Peer {
  readonly namespaceSelector?: { readonly matchLabels?: Record<string, string> };
  readonly podSelector?: { readonly matchLabels?: Record<string, string> };
  readonly ipBlock?: { readonly cidr: string; readonly except?: string[] };
}
export interface IngressRule {
  readonly from?: Peer[];
  readonly ports?: Port[];
}
export interface EgressRule {
  readonly to?: Peer[];
  readonly ports?: Port[];
}
/** A NetworkPolicy: its name and its spec. */
export interface Policy {
  readonly name: string;
  readonly spec: {
    readonly podSelector: { readonly matchLabels?: Record<string, string> };
    readonly policyTypes: string[];
    readonly ingress?: IngressRule[];
    readonly egress?: EgressRule[];
  };
}

/** The policies of a namespace: one that denies all, and one for each kind of pod with what it is called by and calls. */
export interface NamespacePolicies {
  readonly denyAll: Policy;
  readonly allow: readonly Policy[];
}

const BOTH_WAYS = ['Ingress', 'Egress'];

/** The policies of every namespace that Berth makes, by namespace. */
export function networkPolicies(config: EstateConfig): ReadonlyMap<string, NamespacePolicies> {
  const flows = estateFlows(config);
  return new Map(
    ownNamespaces(config).map((namespace) => [
      namespace,
      {
        denyAll: { name: 'default-deny', spec: { podSelector: {}, policyTypes: BOTH_WAYS } },
        allow: Object.entries(flows.endpoints).flatMap(([name, endpoint]) =>
          endpoint.kind === 'pods' && endpoint.namespace === namespace
            ? [policyOf(name as EndpointName, endpoint, flows)]
            : [],
        ),
      },
    ]),
  );
}

function policyOf(name: EndpointName, pods: Pods, { endpoints, flows }: EstateFlows): Policy {
  const peers = (other: EndpointName) => {
    const endpoint = endpoints[other];
    // No peers would allow whoever.
    if (endpoint === undefined) throw new Error(`flow of ${name}: there is no ${other}`);
    return peersOf(endpoint);
  };
  const ingress = flows
    .filter(({ to }) => to === name)
    .map((flow): IngressRule => ({ ...optional('from', peers(flow.from)), ...portsOf(flow) }));
  const egress = flows
    .filter(({ from }) => from === name)
    .map((flow): EgressRule => ({ ...optional('to', peers(flow.to)), ...portsOf(flow) }));
  return {
    name,
    spec: {
      podSelector: matching(pods.labels),
      policyTypes: BOTH_WAYS,
      ...optional('ingress', ingress),
      ...optional('egress', egress),
    },
  };
}

/** An API server keeps no empty list: one would be a change at every update. */
const optional = <K extends string, T>(key: K, list: readonly T[]) =>
  (list.length === 0 ? {} : { [key]: [...list] }) as Partial<Record<K, T[]>>;

const portsOf = ({ ports }: Flow) => optional('ports', ports);

const matching = (labels: Readonly<Record<string, string>>) =>
  Object.keys(labels).length === 0 ? {} : { matchLabels: { ...labels } };

/** The peers that an end is; none stands for whoever. */
function peersOf(endpoint: Endpoint): Peer[] {
  switch (endpoint.kind) {
    case 'pods':
      return [
        {
          namespaceSelector: matching(
            endpoint.namespace === undefined
              ? {}
              : { 'kubernetes.io/metadata.name': endpoint.namespace },
          ),
          podSelector: matching(endpoint.labels),
        },
      ];
    case 'addresses':
      return endpoint.blocks.map(({ cidr, except }) => ({
        ipBlock: { cidr, ...(except && { except: [...except] }) },
      }));
    case 'anywhere':
      return [];
  }
}
