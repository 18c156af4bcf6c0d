import * as pulumi from '@pulumi/pulumi';
import type { SshClusterConfig } from '../config-schema';
import { apiServerUrl, installSettings } from './ssh/host-config';
import { installScript } from './ssh/install-script';
import { afterInstallScript, drainUnlessLastScript, forgetScript } from './ssh/node-scripts';
import { PATHS } from './ssh/paths';
import { remoteCommand, type HostAccess } from './ssh/remote-command';
import { componentInputs, tokenLine } from './ssh/secrets';
import { uninstallScript } from './ssh/uninstall-script';

export interface K3sServerArgs extends HostAccess {
  readonly ssh: SshClusterConfig;
  /** What servers join with (secret). */
  readonly token: pulumi.Input<string>;
  /** What agents join with (secret), in its short form. */
  readonly agentToken: pulumi.Input<string>;
  /** k3s, with its datastore, refuses to be taken off the host. */
  readonly protectDatastore: boolean;
  /** The first server of the cluster, where this is another one. */
  readonly first?: K3sServer | undefined;
  /** A server that can be reached, on which nodes are looked after; this one, if it is the only one. */
  readonly manager: HostAccess;
  /** The same, but another server than this one, if there is one: it forgets this one's node. */
  readonly registrar: HostAccess;
}

/**
 * A host over SSH that runs a k3s server. It has the name of its node. Every server has the same commands, whichever is the
 * first: so another can become that, and what the first one alone had is not taken for a node that goes.
 */
export class K3sServer extends pulumi.ComponentResource {
  /** On which agents' nodes are drained and forgotten. */
  readonly manager: HostAccess;
  /** What agents join with, in the full form that names the cluster's authority (secret). */
  readonly fullAgentToken: pulumi.Output<string>;
  /** Cluster-admin kubeconfig, addressed for use from outside (secret). */
  readonly kubeconfig: pulumi.Output<string>;

  constructor(name: string, args: K3sServerArgs, options?: pulumi.ComponentResourceOptions) {
    super('berth:hosts:K3sServer', name, componentInputs(args), options);
    const { host, privateKey, ssh, first, manager, registrar } = args;
    const access = { host, privateKey };
    this.manager = manager;
    const inside = { parent: this };
    const node = { node: name, ...ssh };
    const registration = remoteCommand(
      `${name}-registration`,
      registrar,
      { create: 'true', delete: forgetScript(name) },
      {},
      inside,
    );
    const install = remoteCommand(
      `${name}-k3s`,
      access,
      {
        create: installScript(installSettings(ssh, host)),
        delete: uninstallScript({ role: 'server', ...node }),
      },
      {
        stdin: pulumi.secret(
          pulumi.interpolate`${tokenLine(args.token, 'berth:clusterToken')}${tokenLine(args.agentToken, 'berth:agentToken')}`,
        ),
      },
      { ...inside, dependsOn: [registration], protect: args.protectDatastore },
    );
    const ready = remoteCommand(
      `${name}-ready`,
      manager,
      {
        create: host.unreachable ? 'true' : afterInstallScript(node),
        ...(registrar.host === host
          ? {}
          : { delete: drainUnlessLastScript(node, host.unreachable) }),
      },
      {},
      { ...inside, dependsOn: [install] },
    );
    const read = (what: string, file: string, triggers: pulumi.Input<string>[]) =>
      remoteCommand(
        `${name}-${what}`,
        access,
        { create: `cat ${file} # of k3s ${ssh.version}` },
        { logging: 'none', triggers },
        { ...inside, dependsOn: [ready], additionalSecretOutputs: ['stdout'] },
      ).stdout;
    this.fullAgentToken =
      first?.fullAgentToken ??
      pulumi.secret(
        read('agent-token', PATHS.fullAgentToken, [pulumi.secret(args.agentToken)]).apply(
          fullToken,
        ),
      );
    this.kubeconfig =
      first?.kubeconfig ??
      pulumi.secret(
        read('kubeconfig', PATHS.kubeconfig, [host.address]).apply((text) =>
          text.replace(/server: https:\/\/\S+/, `server: ${apiServerUrl(host)}`),
        ),
      );
    this.registerOutputs({});
  }
}

/** @throws Error where a server did not write the token in the form by which an agent knows its cluster. */
function fullToken(text: string): string {
  const token = text.trim();
  if (!/^K10[0-9a-f]{64}::[^:\s]+:\S+$/.test(token))
    throw new Error(`${PATHS.fullAgentToken} on the server holds no token of the form K10…::…:…`);
  return token;
}
