import type { SshClusterConfig, SshHost } from '../../../components/config-schema';
import {
  copyServerScript,
  replaceServerScript,
} from '../../../components/hosts/ssh/datastore-scripts';
import { UserError } from '../user-error';
import type { Backup, BackupWriter } from './folder';
import { onHost } from './host-shell';

const SERVER_FILE = 'k3s-server.tar';

export interface DatastoreAccess {
  readonly ssh: SshClusterConfig;
  readonly identity?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The data of a lone k3s server: its datastore (SQLite), certificate authorities and tokens. */
export async function backUpDatastore(
  { ssh, ...access }: DatastoreAccess,
  writer: BackupWriter,
): Promise<void> {
  const host = loneServer(ssh);
  const script = copyServerScript(ssh.readyTimeoutSeconds);
  await writer.add('datastore', SERVER_FILE, onHost({ host, ...access }, script));
}

/** @returns what the host says of it. */
export async function restoreDatastore(
  { ssh, ...access }: DatastoreAccess,
  backup: Backup,
): Promise<string> {
  const file = backup.manifest.files.find(({ path }) => path === SERVER_FILE);
  if (file === undefined) throw new UserError(`the backup has no ${SERVER_FILE}`);
  const host = loneServer(ssh);
  const script = replaceServerScript(file.sha256, ssh.readyTimeoutSeconds);
  let said = '';
  for await (const chunk of onHost({ host, ...access }, script, backup.read(SERVER_FILE)))
    said += chunk.toString();
  return said.trim();
}

/** @throws UserError where there are several: embedded etcd has a way of its own. */
export function loneServer({ hosts }: Pick<SshClusterConfig, 'hosts'>): SshHost {
  const servers = hosts.filter(({ role }) => role === 'server');
  const [first] = servers;
  if (first === undefined) throw new UserError('berth:cluster.ssh.hosts: no host has role: server');
  if (servers.length > 1)
    throw new UserError(
      `this cluster has ${servers.length} servers with embedded etcd, which k3s backs up itself: see docs/operations.md`,
    );
  return first;
}
