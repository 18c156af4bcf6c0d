import { existsSync } from 'node:fs';
import type { KubeConfig } from '@kubernetes/client-node';
import { ConfigError } from '../../../components/config';
import { estateSchemas, type SshClusterConfig } from '../../../components/config-schema';
import { stackFileValues, withInherited } from '../../../components/inheritance';
import { proxiedService, type ProxiedService } from '../service-proxy';
import { requireStackConfig, type StackFolder } from '../stack-folder';
import { keptOutputs } from '../stack-outputs';
import { UserError } from '../user-error';
import { PARTS, type Part } from './manifest';

/** What a stack has that can be backed up. */
export interface BackupStack {
  /** Its parts, of those that are asked for. */
  readonly parts: readonly Part[];
  /** The autoscaler, whose data are in Redis and MongoDB. */
  readonly autoscaler: ProxiedService | undefined;
  /** Hosts, where Berth installed k3s. */
  readonly ssh: SshClusterConfig | undefined;
}

/**
 * What can be backed up of a stack, as its configuration and what is kept beside it say.
 * @param only parts that are asked for; all that there are without.
 * @throws UserError for a part that the stack has not, or where it has none.
 */
export function backupStack(folder: StackFolder, only: readonly string[] = []): BackupStack {
  const { stack, projectDir } = folder;
  const asked = only.map((name) => {
    const part = PARTS.find((one) => one === name);
    if (part === undefined) throw new UserError(`--only ${name}: must be of ${PARTS.join(', ')}`);
    return part;
  });
  const autoscaler = proxiedService(keptOutputs(folder).urls?.autoscaler ?? '');
  const ssh = sshOf(projectDir, stack);
  const why: Readonly<Record<Part, string | undefined>> = {
    redis: autoscaler ? undefined : 'the stack has no autoscaler that is up, whose Redis this is',
    mongodb: autoscaler
      ? undefined
      : 'the stack has no autoscaler that is up, whose MongoDB this is',
    datastore: ssh
      ? undefined
      : 'berth:cluster.kind is not ssh; what is in a cluster of containers is made again by npm run up',
  };
  for (const part of asked)
    if (why[part] !== undefined) throw new UserError(`--only ${part}: ${why[part]}`);
  const has = PARTS.filter((part) => why[part] === undefined);
  const parts = asked.length > 0 ? PARTS.filter((part) => asked.includes(part)) : has;
  if (parts.length === 0)
    throw new UserError(
      `stack ${stack} has nothing to back up:\n${PARTS.map((part) => `  ${part}: ${why[part]}`).join('\n')}`,
    );
  return { parts, autoscaler, ssh };
}

function sshOf(projectDir: string, stack: string): SshClusterConfig | undefined {
  requireStackConfig(projectDir, stack);
  const read = (name: string) => stackFileValues(projectDir, name);
  const { cluster } = withInherited(read(stack) ?? {}, read);
  const { data, error } = estateSchemas.cluster.safeParse(cluster);
  if (error)
    throw new ConfigError(
      error.issues.map(({ path, message }) => `berth:cluster.${path.join('.')}: ${message}`),
    );
  return data.kind === 'ssh' ? data.ssh : undefined;
}

/** The client's settings for the stack's cluster. @throws UserError where it is not up */
export async function kubeConfigOf({ stack, kubeconfig }: StackFolder): Promise<KubeConfig> {
  if (!existsSync(kubeconfig))
    throw new UserError(`stack ${stack} is not up: npm run up -- -s ${stack}`);
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  return config;
}
