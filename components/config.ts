import { closest, distance } from 'fastest-levenshtein';
import type { z } from 'zod';
import { SERVER_NODE_NAME } from './plan';
import {
  estateSchemas,
  type ClusterConfig,
  type DisruptionBudgetConfig,
  type ImagesConfig,
  type NetworkPoliciesConfig,
  type NodeConfig,
  type PlatformConfig,
  type PostureConfig,
  type ProtectConfig,
  type SafetyConfig,
  type SystemsConfig,
} from './config-schema';

/** A stack's whole configuration but its secrets, with every default filled in. */
export interface EstateConfig {
  readonly cluster: ClusterConfig;
  readonly nodes: readonly NodeConfig[];
  readonly images: ImagesConfig;
  readonly platform: PlatformConfig;
  readonly posture: PostureConfig;
  readonly systems: SystemsConfig;
  readonly networkPolicies: NetworkPoliciesConfig;
  readonly safety: SafetyConfig;
  readonly protect: ProtectConfig;
  readonly disruptionBudget: DisruptionBudgetConfig;
  /** The stack whose values lie below this one's already; empty for none. */
  readonly extends: string;
}

/** Keys that hold a secret: set with `pulumi config set --secret`, and never part of EstateConfig. */
export const SECRET_KEYS = [
  'clusterToken',
  'kubeconfig',
  'registryPassword',
  'databasePassword',
  'agentToken',
  'sshPrivateKey',
  'sshPrivateKeys',
] as const;
export type SecretKey = (typeof SECRET_KEYS)[number];

/** All that is wrong with a stack's configuration, one line for each place. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(
      `the configuration of this stack has ${problems.length} error${problems.length === 1 ? '' : 's'}:\n` +
        problems.map((problem) => `  ${problem}`).join('\n'),
    );
    this.name = 'ConfigError';
  }
}

/** What a stack's configuration says, as read and not yet checked. */
export interface RawConfig {
  /** Values of the keys below `berth:`, without the namespace; secrets left out. */
  readonly values: Readonly<Record<string, unknown>>;
  /** The names of all keys below `berth:` that the stack sets, without the namespace. */
  readonly keys: readonly string[];
  /** Which secrets have a value. */
  readonly secrets: ReadonlySet<SecretKey>;
  /** The hosts that have a key of their own in `sshPrivateKeys`. */
  readonly hostsWithKey?: readonly string[];
}

/**
 * Checks a stack's configuration and fills in the defaults.
 * @throws ConfigError naming every problem at once, each with its key path and what is allowed.
 */
export function parseEstateConfig(raw: RawConfig): EstateConfig {
  const known = [...Object.keys(estateSchemas), ...SECRET_KEYS];
  const problems = raw.keys
    .filter((key) => !known.includes(key))
    .map((key) => `berth:${key}: unknown key${suggestion(key, known)}`);
  const parsed: Record<string, unknown> = {};
  for (const [key, schema] of Object.entries(estateSchemas)) {
    const result = schema.safeParse(raw.values[key]);
    if (result.success) parsed[key] = result.data;
    else
      for (const issue of result.error.issues)
        problems.push(...describeIssue(`berth:${key}`, issue, raw.values[key], schema));
  }
  problems.push(...repeatedNodes(raw.values.nodes));
  if (problems.length > 0) throw new ConfigError(problems);
  const config = withHostsAsNodes(parsed as unknown as EstateConfig);
  const conflicts = [
    ...nodesBesideHosts(config, raw.values.nodes),
    ...reservedNames(config),
    ...trafficProblems(config),
    ...autoscalingProblems(config),
    ...missingSecrets(config, raw.secrets),
    ...keyProblems(config, raw),
  ];
  if (conflicts.length > 0) throw new ConfigError(conflicts);
  return config;
}

/** Hosts over SSH are the estate's nodes: what says so of a node stands with the host. */
function withHostsAsNodes(config: EstateConfig): EstateConfig {
  if (config.cluster.kind !== 'ssh') return config;
  const nodes = config.cluster.ssh.hosts.map(({ name, slot, eligible, labels, taints }) => ({
    ...{ name, eligible, labels, taints },
    ...(slot === undefined ? {} : { slot }),
  }));
  return { ...config, nodes };
}

function nodesBesideHosts({ cluster }: EstateConfig, nodes: unknown): string[] {
  if (cluster.kind !== 'ssh' || !Array.isArray(nodes) || nodes.length === 0) return [];
  return ['berth:nodes: must be empty when cluster.kind is ssh: cluster.ssh.hosts are the nodes'];
}

/**
 * Names and slots that two nodes have. It looks at the unchecked values, so that it also reports beside errors
 * of another kind.
 */
function repeatedNodes(nodes: unknown): string[] {
  if (!Array.isArray(nodes)) return [];
  const firstWith = new Map<string, number>();
  return nodes.flatMap((node: Partial<NodeConfig> | null, index) =>
    (['name', 'slot'] as const).flatMap((field) => {
      const value = node?.[field];
      if (value === undefined) return [];
      const claim = `${field}=${JSON.stringify(value)}`;
      const first = firstWith.get(claim);
      if (first === undefined) firstWith.set(claim, index);
      return first === undefined
        ? []
        : [`berth:nodes[${index}].${field}: ${JSON.stringify(value)} is taken by nodes[${first}]`];
    }),
  );
}

function reservedNames({ cluster, nodes }: EstateConfig): string[] {
  if (cluster.kind !== 'docker') return [];
  return nodes.flatMap((node, index) =>
    node.name === SERVER_NODE_NAME
      ? [`berth:nodes[${index}].name: "${node.name}" is the k3s server's own name; choose another`]
      : [],
  );
}

/** Requests come in at one node where that node is one of the estate's, and has a Traefik. */
function trafficProblems({ cluster, nodes, platform: { traefik }, systems }: EstateConfig) {
  const { enabled, traffic } = systems.latencyScheduling;
  if (!enabled || traffic.node === '') return [];
  const problem = (why: string) =>
    `berth:systems.latencyScheduling.traffic.node: ${JSON.stringify(traffic.node)} ${why}`;
  const known = [SERVER_NODE_NAME, ...nodes.map(({ name }) => name)];
  const isUnknown = cluster.kind === 'docker' && !known.includes(traffic.node);
  return [
    ...(isUnknown ? [problem(`is no node of the estate; known are ${known.join(', ')}`)] : []),
    ...(traefik.enabled && traefik.kind === 'DaemonSet'
      ? []
      : [problem('needs platform.traefik with enabled: true and kind: DaemonSet')]),
  ];
}

/** Workers are containers of the engine that the cluster is made on: where it was not made here, there is none. */
const autoscalingProblems = ({ cluster, systems: { autoscaling } }: EstateConfig): string[] =>
  autoscaling.enabled && cluster.kind !== 'docker'
    ? [
        `berth:systems.autoscaling.enabled: must be false when cluster.kind is ${cluster.kind}: workers are containers of a Docker cluster (cluster.kind: docker)`,
      ]
    : [];

function missingSecrets(config: EstateConfig, set: ReadonlySet<SecretKey>): string[] {
  const problems: string[] = [];
  const need = (key: SecretKey, why: string) => {
    if (!set.has(key))
      problems.push(`berth:${key}: must be set ${why}: pulumi config set --secret berth:${key} …`);
  };
  if (config.cluster.kind === 'docker') need('clusterToken', 'when cluster.kind is docker');
  if (config.cluster.kind === 'ssh')
    for (const key of ['clusterToken', 'agentToken'] as const)
      need(key, 'when cluster.kind is ssh');
  if (config.cluster.kind === 'existing') need('kubeconfig', 'when cluster.kind is existing');
  if (config.images.username !== '') need('registryPassword', 'when images.username is set');
  if (config.posture.database.enabled)
    need('databasePassword', 'when posture.database.enabled is true');
  return problems;
}

/** Each host lets in a key of its own, or the one that all others share. */
function keyProblems({ cluster }: EstateConfig, { secrets, hostsWithKey = [] }: RawConfig) {
  if (cluster.kind !== 'ssh') return [];
  const names = cluster.ssh.hosts.map(({ name }) => name);
  const strange = hostsWithKey.filter((name) => !names.includes(name));
  const without = names.filter((name) => !hostsWithKey.includes(name));
  return [
    ...strange.map(
      (name) =>
        `berth:sshPrivateKeys.${name}: is no host of cluster.ssh.hosts${suggestion(name, names)}`,
    ),
    ...(without.length === 0 || secrets.has('sshPrivateKey')
      ? []
      : [
          `berth:sshPrivateKey: must be set when cluster.kind is ssh and a host (${without.join(', ')}) has no key of its own in sshPrivateKeys: pulumi config set --secret berth:sshPrivateKey …`,
        ]),
  ];
}

function describeIssue(
  root: string,
  issue: z.core.$ZodIssue,
  value: unknown,
  schema: z.ZodType,
): string[] {
  const path = root + formatPath(issue.path);
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(schema, issue.path);
    return issue.keys.map((key) => `${path}.${key}: unknown key${suggestion(key, known)}`);
  }
  const got = issue.path.reduce<unknown>(
    (at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key],
    value,
  );
  const shown = got === undefined ? '' : `${JSON.stringify(got)} `;
  return [`${path}: ${shown}${issue.message}`];
}

/** `[2].slot` for `[2, 'slot']`. */
function formatPath(path: readonly PropertyKey[]): string {
  return path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('');
}

function suggestion(key: string, known: readonly string[]): string {
  if (known.length === 0) return '';
  const nearest = closest(key, [...known]);
  const near =
    distance(key.toLowerCase(), nearest.toLowerCase()) <= Math.max(2, nearest.length / 2);
  return near ? `; did you mean ${nearest}?` : `; known are ${known.join(', ')}`;
}

/** The keys that the object at a path of a schema knows. */
function knownKeys(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let at: unknown = schema;
  for (const key of [...path, undefined]) {
    at = unwrap(at);
    const def = (at as { def?: { shape?: Record<PropertyKey, unknown>; element?: unknown } }).def;
    if (key === undefined) return Object.keys(def?.shape ?? {});
    at = typeof key === 'number' ? def?.element : def?.shape?.[key];
  }
  return [];
}

/** The schema inside defaults, optionals and the like. */
function unwrap(schema: unknown): unknown {
  let at = schema as { def?: { innerType?: unknown } } | undefined;
  while (at?.def?.innerType !== undefined) at = at.def.innerType as typeof at;
  return at;
}
