import * as command from '@pulumi/command';
import * as pulumi from '@pulumi/pulumi';
import type { SshHost } from '../../config-schema';
import { asRoot } from './shell';

/** A host and the key that it lets in. */
export interface HostAccess {
  readonly host: SshHost;
  /** PEM (secret). */
  readonly privateKey: pulumi.Output<string>;
}

/** What root runs on a host when a resource is made, changed and taken away. None of it may be secret. */
export interface HostScripts {
  readonly create: string;
  readonly update?: string | undefined;
  readonly delete?: string | undefined;
}

/** Tries to reach a host before it counts as unreachable, and how long each may take. */
const DIALS = 3;
const DIAL_TIMEOUT_SECONDS = 15;

/**
 * Scripts on a host, whose key is pinned. Secrets go through `stdin`, which is on no command line. A host that is said to
 * be unreachable is left as it is, and forgotten without being asked when its resource goes.
 */
export function remoteCommand(
  name: string,
  { host, privateKey }: HostAccess,
  scripts: HostScripts,
  rest: Partial<Pick<command.remote.CommandArgs, 'stdin' | 'logging' | 'triggers'>>,
  options: pulumi.CustomResourceOptions,
): command.remote.Command {
  const root = (script: string | undefined) =>
    script === undefined ? undefined : asRoot(host.user, script);
  return new command.remote.Command(
    name,
    {
      connection: {
        host: host.address,
        port: host.port,
        user: host.user,
        hostKey: host.hostKey,
        privateKey,
        dialErrorLimit: DIALS,
        perDialTimeout: DIAL_TIMEOUT_SECONDS,
      },
      create: asRoot(host.user, scripts.create),
      ...(scripts.update === undefined ? {} : { update: root(scripts.update) }),
      ...(scripts.delete === undefined ? {} : { delete: root(scripts.delete) }),
      // A server's sshd need not let these variables in.
      addPreviousOutputInEnv: false,
      ...rest,
    },
    {
      ...options,
      ...(host.unreachable ? { retainOnDelete: true, ignoreChanges: LEFT_AS_IT_IS } : {}),
    },
  );
}

const LEFT_AS_IT_IS = ['connection', 'create', 'update', 'delete', 'stdin', 'triggers'];
