import { BlockList, isIPv4 } from 'node:net';
import type { EstateConfig } from '../config';

/** A range of addresses, and what of it is not meant. */
export interface AddressBlock {
  readonly cidr: string;
  readonly except?: readonly string[];
}

/** Servers over SSH come one after another before any agent, and so have the first ranges of pods. */
const SERVERS = 3;
/** Addresses that the range of one node has: k3s gives each a /24. */
const NODE_RANGE = 256;

/**
 * Where a call from or to a node is seen: at the node's own address, which is never a pod's; and from a server to a pod of
 * another node at the first address of the server's range of pods, which flannel gives to the node and never to a pod.
 */
export function nodeBlocks(config: EstateConfig): AddressBlock[] {
  const { nodeCidrs, podCidr } = config.networkPolicies;
  const [podBase = '', podBits = ''] = podCidr.split('/');
  const around = nodeCidrs.map((cidr) => {
    const [base = '', bits = ''] = cidr.split('/');
    if (!isIPv4(base) || Number(bits) >= Number(podBits)) return { cidr };
    const range = new BlockList();
    range.addSubnet(base, Number(bits));
    return range.check(podBase) ? { cidr, except: [podCidr] } : { cidr };
  });
  const size = 2 ** (32 - Number(podBits));
  const gateways = Array.from({ length: earlyNodes(config) }, (_, index) => index * NODE_RANGE)
    .filter((offset) => offset < size)
    .map((offset) => ({ cidr: `${plus(podBase, offset)}/32` }));
  return [...around, ...gateways];
}

/** How many ranges of pods a server may have got one of. */
function earlyNodes({ cluster, nodes }: EstateConfig): number {
  // Containers come up side by side: agents that join while the server becomes a node may have their ranges before it.
  return cluster.kind === 'docker' ? Math.max(SERVERS, 1 + nodes.length) : SERVERS;
}

/** The address so many after another. */
function plus(address: string, offset: number): string {
  const value = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0) + offset;
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}
