import type { HostPort } from '../../types';
import type { Filter } from '../filter';

const ANY = '0.0.0.0';

const clash = (a: HostPort, b: HostPort): boolean =>
  a.port === b.port && a.protocol === b.protocol && (a.ip === b.ip || a.ip === ANY || b.ip === ANY);

/** Host ports: free on the address asked for, by protocol; 0.0.0.0 asks for all addresses. */
export const nodePorts: Filter = {
  rule: 'NodePorts',
  check: (pod, node) =>
    pod.hostPorts.some((wanted) => node.hostPorts.some((used) => clash(wanted, used)))
      ? ["node(s) didn't have free ports for the requested pod ports"]
      : undefined,
};
