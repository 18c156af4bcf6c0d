import * as pulumi from '@pulumi/pulumi';
import type { SshClusterConfig, SshHost } from '../../config-schema';
import { nodeLabels } from '../../plan';

/**
 * A secret as a line of a script's stdin.
 * @throws Error, without the secret, where it would be more than one line, or none.
 */
export const tokenLine = (token: pulumi.Input<string>, key: string): pulumi.Output<string> =>
  pulumi.secret(token).apply((text) => {
    if (!/^[\x21-\x7e]+$/.test(text))
      throw new Error(`${key}: must be of printable ASCII characters without spaces`);
    return `${text}\n`;
  });

/** What a preview says of a host. Nothing in it is secret. */
export function componentInputs(args: {
  readonly host: SshHost;
  readonly ssh: SshClusterConfig;
}): pulumi.Inputs {
  const { address, port, user, arch } = args.host;
  return { address, port, user, arch, labels: nodeLabels(args.host), version: args.ssh.version };
}
