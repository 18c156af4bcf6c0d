import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { stringify } from 'yaml';
import { commandContext } from '../../../runtime/cli/command-context';
import { backup } from '../../../runtime/cli/commands/backup';
import { restore } from '../../../runtime/cli/commands/restore';
import { plainProgress } from '../../../runtime/cli/progress-plain';
import type { LabHosts } from './ssh-hosts';

/** Somebody who backs up a stack of hosts, from a folder with nothing but its configuration and a key. */
export interface SshOperator {
  /** What its commands have printed. */
  readonly printed: string;
  backUp(to: string): Promise<void>;
  restore(from: string, replace: boolean): Promise<void>;
  /** The path of a file in its folder. */
  file(name: string): string;
  remove(): Promise<void>;
}

/** @param server the host that is the k3s server; the others are agents. */
export async function sshOperator(lab: LabHosts, server: string): Promise<SshOperator> {
  const folder = await mkdtemp(path.join(tmpdir(), 'berth-operator-'));
  const file = (name: string) => path.join(folder, name);
  const arch = process.arch === 'arm64' ? 'arm64' : 'amd64';
  const hosts = lab.hosts.map((host) => ({
    ...{ ...host, arch, role: host.name === server ? 'server' : 'agent' },
  }));
  const cluster = { kind: 'ssh', ssh: { sha256: { [arch]: 'ab'.repeat(32) }, hosts } };
  await writeFile(file('Pulumi.edge.yaml'), stringify({ config: { 'berth:cluster': cluster } }));
  await writeFile(file('key'), lab.privateKey, { mode: 0o600 });
  let printed = '';
  const print = (line: string) => void (printed += `${line}\n`);
  const own = commandContext(folder, {}, new AbortController().signal, { stack: 'edge' });
  const context = { ...own, print, progress: plainProgress(print) };
  const common = { stack: 'edge', identity: file('key') };
  return {
    get printed() {
      return printed;
    },
    file,
    backUp: async (to) => void (await backup(context, { ...common, to: file(to) })),
    restore: async (from, replace) =>
      void (await restore(context, { ...common, from: file(from), replace })),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
