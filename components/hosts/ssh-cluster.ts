import * as pulumi from '@pulumi/pulumi';
import type { SshClusterConfig, SshHost } from '../config-schema';
import { K3sAgent } from './k3s-agent';
import { K3sServer } from './k3s-server';
import type { HostAccess } from './ssh/remote-command';

export interface SshClusterArgs {
  readonly ssh: SshClusterConfig;
  /** Secret with which servers join. */
  readonly token: pulumi.Input<string>;
  /** Secret with which agents join. */
  readonly agentToken: pulumi.Input<string>;
  /** k3s on servers, with its datastore, refuses to be taken away. */
  readonly protectDatastore?: boolean;
  /** Key that hosts let in which have none of their own. */
  readonly privateKey?: pulumi.Input<string> | undefined;
  /** Keys of hosts that have one of their own, by host. */
  readonly privateKeys?: Readonly<Record<string, pulumi.Input<string>>>;
}

/**
 * k3s on hosts over SSH. Hosts are changed one at a time, servers first, each after the one before it: so a host that
 * fails stops the roll, and those after it stay as they are.
 */
export class SshCluster extends pulumi.ComponentResource {
  /** Cluster-admin kubeconfig (secret). */
  readonly kubeconfig: pulumi.Output<string>;
  /** What to depend on before using a node, by node name. */
  readonly nodesReady: Readonly<Record<string, pulumi.Resource>>;

  constructor(name: string, args: SshClusterArgs, options?: pulumi.ComponentResourceOptions) {
    super('berth:hosts:SshCluster', name, {}, options);
    const { ssh, protectDatastore = false } = args;
    const keyOf = ({ name: host }: SshHost) => {
      const key = args.privateKeys?.[host] ?? args.privateKey;
      if (key === undefined)
        throw new Error(`berth:sshPrivateKey is not set, and ${host} has no key`);
      return pulumi.secret(key);
    };
    const ready: Record<string, pulumi.Resource> = {};
    let previous: pulumi.Resource | undefined;
    let first: K3sServer | undefined;
    const following = () => ({
      parent: this,
      ...(previous === undefined ? {} : { dependsOn: [previous] }),
    });
    const servers = ssh.hosts.filter(({ role }) => role === 'server');
    const accessOf = (host: SshHost): HostAccess => ({ host, privateKey: keyOf(host) });
    const reachable = servers.filter(({ unreachable }) => !unreachable);
    for (const host of servers) {
      const { token, agentToken } = args;
      const manager = accessOf(reachable[0] ?? host);
      const registrar = accessOf(reachable.find((one) => one !== host) ?? host);
      const shared = { ssh, token, agentToken, first, manager, registrar, protectDatastore };
      const server: K3sServer = new K3sServer(
        host.name,
        { ...accessOf(host), ...shared },
        // After all before it, and not the last one alone: so they also go one at a time, in reverse.
        { parent: this, dependsOn: Object.values(ready) },
      );
      first ??= server;
      previous = ready[host.name] = server;
    }
    if (first === undefined) throw new Error('berth:cluster.ssh.hosts: no host has role: server');
    for (const host of ssh.hosts.filter(({ role }) => role === 'agent'))
      previous = ready[host.name] = new K3sAgent(
        host.name,
        { ...accessOf(host), ssh, server: first },
        following(),
      );
    this.kubeconfig = first.kubeconfig;
    this.nodesReady = ready;
    this.registerOutputs({});
  }
}
