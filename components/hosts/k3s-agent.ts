import * as pulumi from '@pulumi/pulumi';
import type { SshClusterConfig } from '../config-schema';
import type { K3sServer } from './k3s-server';
import { installSettings } from './ssh/host-config';
import { installScript } from './ssh/install-script';
import {
  afterInstallScript,
  beforeInstallScript,
  drainScript,
  forgetScript,
} from './ssh/node-scripts';
import { remoteCommand, type HostAccess } from './ssh/remote-command';
import { componentInputs, tokenLine } from './ssh/secrets';
import { uninstallScript } from './ssh/uninstall-script';

export interface K3sAgentArgs extends HostAccess {
  readonly ssh: SshClusterConfig;
  /** The server that it joins, and whose manager drains and forgets its node. */
  readonly server: K3sServer;
}

/**
 * A host over SSH that runs a k3s agent. It has the name of its node. Three commands, in this order when it comes or
 * changes, in the reverse order when it goes: on the server (cordon and drain before another release; forget the
 * node), on the host (install; uninstall), on the server (await Ready and uncordon; drain).
 */
export class K3sAgent extends pulumi.ComponentResource {
  constructor(name: string, args: K3sAgentArgs, options?: pulumi.ComponentResourceOptions) {
    super('berth:hosts:K3sAgent', name, componentInputs(args), options);
    const { host, ssh, server } = args;
    const { version, readyTimeoutSeconds, drainTimeoutSeconds } = ssh;
    const node = { node: name, version, readyTimeoutSeconds, drainTimeoutSeconds };
    const before = remoteCommand(
      `${name}-registration`,
      server.manager,
      {
        create: host.unreachable ? 'true' : beforeInstallScript(node),
        delete: forgetScript(name),
      },
      {},
      { parent: this, dependsOn: [server] },
    );
    const install = remoteCommand(
      `${name}-k3s`,
      args,
      {
        create: installScript(installSettings(ssh, host)),
        delete: uninstallScript({ role: 'agent' }),
      },
      { stdin: tokenLine(server.fullAgentToken, 'the agent token') },
      { parent: this, dependsOn: [before] },
    );
    remoteCommand(
      `${name}-ready`,
      server.manager,
      {
        create: host.unreachable ? 'true' : afterInstallScript(node),
        delete: drainScript(node, host.unreachable),
      },
      {},
      { parent: this, dependsOn: [install] },
    );
    this.registerOutputs({});
  }
}
