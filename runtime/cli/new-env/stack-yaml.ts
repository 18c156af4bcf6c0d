import { stringify } from 'yaml';
import { parseEstateConfig, SECRET_KEYS, type EstateConfig } from '../../../components/config';
import { withInherited, type StackValues } from '../../../components/inheritance';
import type { Answers } from './answers';
import { hostValues, type SshAnswers } from './hosts';

/** An environment that is valid: its file, and what has to be set beside it. */
export interface NewEnvironment {
  /** Content of `Pulumi.<name>.yaml`. */
  readonly text: string;
  readonly config: EstateConfig;
  /** Keys of the secrets that it needs; `npm run up` makes the cluster's token by itself. */
  readonly secrets: readonly string[];
}

/**
 * The configuration that the answers come to, checked as a stack's configuration is.
 * @param read the values of another stack, which the new one may extend.
 * @throws ConfigError naming every problem at once.
 */
export function newEnvironment(
  name: string,
  answers: Answers,
  read: (stack: string) => StackValues | undefined,
): NewEnvironment {
  const own = valuesOf(name, answers);
  const values = withInherited(own, read, [name]);
  const config = parseEstateConfig({
    values,
    keys: Object.keys(values),
    secrets: new Set(SECRET_KEYS),
  });
  const keys = Object.entries(own).map(([key, value]) => [`berth:${key}`, value] as const);
  const text = `# The estate ${name}. Every key is described in Pulumi.yaml.\n${stringify({ config: Object.fromEntries(keys) })}`;
  return { text, config, secrets: secretsOf(config) };
}

/** Only what was answered: the rest is the extended stack's, or the default. */
function valuesOf(name: string, answers: Answers): StackValues {
  const { kind, nodes, registry, username, platforms, systems, safety } = answers;
  const images = {
    ...(registry !== '' && { registry }),
    ...(username !== '' && { username }),
    ...(platforms.length > 0 && { platforms: [...platforms] }),
  };
  return {
    ...(answers.extends !== '' && { extends: answers.extends }),
    ...(safety === 'strict' && { safety }),
    cluster: {
      kind,
      ...(kind === 'docker' && { docker: { name: `berth-${name}` } }),
      ...(kind === 'ssh' && { ssh: sshValues(answers.ssh) }),
    },
    ...(nodes.length > 0 && { nodes: nodes.map(nodeValues) }),
    ...(Object.keys(images).length > 0 && { images }),
    ...(systems.length > 0 && { systems: switches(systems) }),
  };
}

const sshValues = ({ hosts, version, sha256 }: SshAnswers) => ({
  ...(version !== '' && { version }),
  ...(Object.keys(sha256).length > 0 && { sha256 }),
  hosts: hosts.map(hostValues),
});

const nodeValues = ({ name, slot, device }: Answers['nodes'][number]) => ({
  name,
  ...(slot !== undefined && { slot }),
  ...(device !== undefined && { labels: { device } }),
});

/** The one system that is on by default is named where it is off, too. */
const switches = (systems: readonly string[]) =>
  Object.fromEntries([
    ...(systems.includes('cpuScheduling') ? [] : [['cpuScheduling', { enabled: false }]]),
    ...systems.map((name) => [name, { enabled: true }]),
  ]);

function secretsOf({ cluster, images, posture }: EstateConfig): string[] {
  return [
    ...(cluster.kind === 'existing' ? ['kubeconfig'] : []),
    ...(cluster.kind === 'ssh' ? ['agentToken', 'sshPrivateKey'] : []),
    ...(images.username !== '' ? ['registryPassword'] : []),
    ...(posture.database.enabled ? ['databasePassword'] : []),
  ];
}
