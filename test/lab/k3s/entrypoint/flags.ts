import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

/** What a node was asked to be, from its command line and environment, as k3s reads them. */
export interface NodeOptions {
  role: 'server' | 'agent';
  nodeName: string;
  /** Shared secret; undefined on a server means "make one and keep it". */
  token: string | undefined;
  /** What agents join a server with; undefined for the token itself. */
  agentToken: string | undefined;
  /** The server that it joins, such as https://berth-dev-server:6443. Undefined on the first or only server. */
  serverUrl: string | undefined;
  /** A server whose etcd others may join. */
  clusterInit: boolean;
  /** A server that shall begin anew as the only member of etcd, with the data of a snapshot, and end. */
  restoreFrom: string | undefined;
  httpsPort: number;
  clusterCidr: string;
  serviceCidr: string;
  /** Of a server: whether its cluster's nodes enforce NetworkPolicies. */
  enforcesNetworkPolicies: boolean;
  /** Extra names and addresses for the API server's certificate. */
  tlsSans: string[];
  /** Labels as KEY=VALUE. */
  nodeLabels: string[];
  /** Taints as KEY=VALUE:EFFECT. */
  nodeTaints: string[];
  /** Flags for the kubelet as KEY=VALUE, without dashes. */
  kubeletArgs: string[];
  kubeconfig: string;
  /** File mode in octal, for example 0o600. */
  kubeconfigMode: number;
}

const shared = {
  server: { type: 'string', short: 's' },
  token: { type: 'string', short: 't' },
  'token-file': { type: 'string' },
  'node-name': { type: 'string' },
  'node-label': { type: 'string', multiple: true },
  'node-taint': { type: 'string', multiple: true },
  'kubelet-arg': { type: 'string', multiple: true },
} as const;
const serverOnly = {
  'agent-token-file': { type: 'string' },
  'cluster-init': { type: 'boolean' },
  'cluster-reset': { type: 'boolean' },
  'cluster-reset-restore-path': { type: 'string' },
  'tls-san': { type: 'string', multiple: true },
  disable: { type: 'string', multiple: true },
  'disable-network-policy': { type: 'boolean' },
  'cluster-cidr': { type: 'string' },
  'service-cidr': { type: 'string' },
  'https-listen-port': { type: 'string' },
  'write-kubeconfig': { type: 'string', short: 'o' },
  'write-kubeconfig-mode': { type: 'string' },
} as const;
/** Components of k3s that this image does not have, so that disabling them changes nothing. */
const absent = new Set(['traefik', 'servicelb', 'metrics-server', 'local-storage']);

type Environment = Readonly<Record<string, string | undefined>>;

function lists(values: string[] | undefined): string[] {
  return (values ?? []).flatMap((value) => value.split(',')).filter((value) => value !== '');
}

function fileLine(file: string | undefined): string | undefined {
  return file === undefined ? undefined : readFileSync(file, 'utf8').trim();
}

function octal(text: string | undefined): number {
  if (text === undefined || text === '') return 0o600;
  if (!/^0?[0-7]{3}$/.test(text))
    throw new Error(`kubeconfig mode ${text} is not like 600 or 0644`);
  return parseInt(text, 8);
}

function port(text: string | undefined): number {
  const value = Number(text ?? '6443');
  if (!Number.isInteger(value) || value < 1 || value > 65534)
    throw new Error(`--https-listen-port ${text} is not in 1..65534`);
  return value;
}

function check(values: string[], flag: string, pattern: RegExp, shape: string): string[] {
  const wrong = values.find((value) => !pattern.test(value));
  if (wrong !== undefined) throw new Error(`--${flag} ${wrong} is not ${shape}`);
  return values;
}

/**
 * Reads `server …` or `agent …` as k3s does; flags win over the environment.
 * @throws Error naming the flag or variable when one is unknown, missing or malformed.
 */
export function parseNodeOptions(
  argv: readonly string[],
  env: Environment,
  hostname: string,
): NodeOptions {
  const [role, ...args] = argv;
  if (role !== 'server' && role !== 'agent')
    throw new Error(
      `unknown command ${role ?? '(none)'}: this image knows server, agent and kubectl`,
    );
  const { values } = parseArgs({
    args,
    strict: true,
    allowPositionals: false,
    options: { ...shared, ...serverOnly },
  });
  const foreign = Object.keys(serverOnly).find((flag) => flag in values);
  if (role === 'agent' && foreign !== undefined)
    throw new Error(`--${foreign} is not a flag of k3s agent`);

  const unknown = lists(values.disable).filter((name) => !absent.has(name));
  if (unknown.length > 0)
    throw new Error(`--disable ${unknown.join(',')}: known are ${[...absent].join(', ')}`);
  const serverUrl = (values.server ?? env.K3S_URL) || undefined;
  const token = values.token ?? fileLine(values['token-file']) ?? env.K3S_TOKEN;
  if (role === 'agent' && !serverUrl) throw new Error('an agent needs --server or K3S_URL');
  if (serverUrl !== undefined) {
    if (!/^https:\/\/[^/]+$/.test(serverUrl))
      throw new Error(`K3S_URL ${serverUrl} is not https://HOST:PORT`);
    if (!token) throw new Error(`what joins ${serverUrl} needs --token or K3S_TOKEN`);
  }
  const restoreFrom = values['cluster-reset-restore-path'];
  if ((values['cluster-reset'] === true) !== (restoreFrom !== undefined))
    throw new Error('--cluster-reset and --cluster-reset-restore-path go together here');
  const nodeName = (values['node-name'] ?? env.K3S_NODE_NAME ?? hostname).toLowerCase();
  check([nodeName], 'node-name', /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/, 'a DNS name');

  return {
    role,
    nodeName,
    token: token || undefined,
    agentToken: fileLine(values['agent-token-file']),
    serverUrl,
    clusterInit: values['cluster-init'] ?? false,
    restoreFrom,
    httpsPort: port(values['https-listen-port']),
    clusterCidr: values['cluster-cidr'] ?? '10.42.0.0/16',
    serviceCidr: values['service-cidr'] ?? '10.43.0.0/16',
    enforcesNetworkPolicies:
      env.K3S_LAB_NETWORK_POLICIES === 'enforced' && values['disable-network-policy'] !== true,
    tlsSans: check(lists(values['tls-san']), 'tls-san', /^[A-Za-z0-9.*:-]+$/, 'a name or address'),
    nodeLabels: check(lists(values['node-label']), 'node-label', /^[^=]+=[^=]*$/, 'KEY=VALUE'),
    nodeTaints: check(
      lists(values['node-taint']),
      'node-taint',
      /^[^:]+:[A-Za-z]+$/,
      'KEY=VALUE:EFFECT',
    ),
    kubeletArgs: check(
      values['kubelet-arg'] ?? [],
      'kubelet-arg',
      /^[a-z][a-z0-9-]*=/,
      'FLAG=VALUE',
    ),
    kubeconfig:
      values['write-kubeconfig'] ?? env.K3S_KUBECONFIG_OUTPUT ?? '/etc/rancher/k3s/k3s.yaml',
    kubeconfigMode: octal(values['write-kubeconfig-mode'] ?? env.K3S_KUBECONFIG_MODE),
  };
}

/** The address of `offset` within an IPv4 range: (10.43.0.0/16, 10) is 10.43.0.10. */
export function addressAt(cidr: string, offset: number): string {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\/\d+$/.exec(cidr);
  if (!match) throw new Error(`${cidr} is not an IPv4 range`);
  const base = match.slice(1, 5).reduce((sum, part) => sum * 256 + Number(part), 0);
  const value = base + offset;
  return [24, 16, 8, 0].map((bits) => Math.floor(value / 2 ** bits) % 256).join('.');
}
