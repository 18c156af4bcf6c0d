import { randomBytes } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { etcdUrl } from './control-plane';
import { etcdctl, etcdMembers } from './etcd-client';
import type { NodeOptions } from './flags';
import { log } from './log';
import { paths } from './paths';
import { ensureEtcdPki, writePrivate } from './pki';
import { waitFor } from './wait-for';

/** What a server's datastore is: its own alone, or a member of embedded etcd: the first, one that joins, one that has joined. */
export type DatastoreKind = 'lone' | 'first' | 'joining' | 'member';

/** A member of embedded etcd that is about to start. */
export interface EmbeddedMember {
  /** As in etcd, and in an annotation of its Node. */
  readonly name: string;
  readonly address: string;
  readonly args: readonly string[];
  /** Sees each line of etcd's log. */
  readonly onLine: (line: string) => void;
  /** Resolves once it has a vote; only then its API server can be started. */
  readonly voting: () => Promise<void>;
}

const nameFile = path.join(paths.etcdMember, 'name');
const peerUrl = (address: string): string => `https://${address}:2380`;
const clientUrl = (address: string): string => `https://${address}:2379`;

/** What k3s makes of its flags and of what is on the disk, which comes first. */
export async function datastoreKind(options: NodeOptions): Promise<DatastoreKind> {
  if (existsSync(paths.etcdTombstone)) {
    log('this member was removed from etcd: its data go, and it joins anew');
    await rm(paths.etcdMember, { recursive: true });
  }
  if (existsSync(path.join(paths.etcdMember, 'member'))) return 'member';
  if (options.serverUrl !== undefined) return 'joining';
  return options.clusterInit ? 'first' : 'lone';
}

/**
 * Makes ready what a member starts with; one that joins is added to the others, without a vote at first.
 * @param others where the members that there are answer clients; empty for all but one that joins.
 */
export async function prepareMember(
  kind: Exclude<DatastoreKind, 'lone'>,
  { nodeName }: NodeOptions,
  address: string,
  others: readonly string[],
): Promise<EmbeddedMember> {
  await ensureEtcdPki(address);
  const name = await memberName(nodeName);
  if (kind === 'first') await takeOverLoneData(name, address);
  const cluster =
    kind === 'joining'
      ? await addMember(name, nodeName, address, others)
      : [`${name}=${peerUrl(address)}`];
  return {
    name,
    address,
    args: memberArgs(name, address, cluster, kind === 'joining' ? 'existing' : 'new'),
    onLine: (line) => {
      if (/permanently removed|member has been removed|ErrMemberRemoved/i.test(line))
        writeFileSync(paths.etcdTombstone, '');
    },
    voting: () =>
      kind === 'joining' ? promote(peerUrl(address), others) : Promise.resolve(undefined),
  };
}

/** As in k3s: the node's name and some digits, kept with the data. */
async function memberName(nodeName: string): Promise<string> {
  return readFile(nameFile, 'utf8').catch(async () => {
    const name = `${nodeName}-${randomBytes(4).toString('hex')}`;
    await writePrivate(nameFile, name);
    return name;
  });
}

/** Adds a member that has no vote yet. @returns all members as NAME=PEER-URL */
async function addMember(
  name: string,
  nodeName: string,
  address: string,
  others: readonly string[],
): Promise<string[]> {
  const members = await etcdMembers(others);
  const self = members.find((one) => one.peerUrl === peerUrl(address));
  const sameNode = members.find(
    (one) => one !== self && one.name.replace(/-[^-]*$/, '') === nodeName,
  );
  if (sameNode !== undefined) {
    await rm(nameFile);
    throw new Error('duplicate node name found, please use a unique name for this node');
  }
  if (self === undefined)
    await etcdctl(others, 'member', 'add', name, '--learner', `--peer-urls=${peerUrl(address)}`);
  log(`joins etcd as ${name}`);
  const rest = members.filter((one) => one !== self).map((one) => `${one.name}=${one.peerUrl}`);
  return [...rest, `${name}=${peerUrl(address)}`];
}

/** Gives the member of an address its vote once it has caught up. In k3s, the leader does. */
async function promote(url: string, others: readonly string[]): Promise<void> {
  await waitFor(
    'a vote in etcd',
    async () => {
      const self = (await etcdMembers(others)).find((one) => one.peerUrl === url);
      if (self === undefined) throw new Error(`${url} is no member`);
      if (self.isLearner) await etcdctl(others, 'member', 'promote', self.id);
    },
    { everyMs: 500 },
  );
  log('has a vote in etcd');
}

function memberArgs(
  name: string,
  address: string,
  cluster: readonly string[],
  state: 'new' | 'existing',
): string[] {
  const tls = (prefix: string): string[] => [
    `--${prefix}cert-file=${paths.pki}/etcd.crt`,
    `--${prefix}key-file=${paths.pki}/etcd.key`,
    `--${prefix}trusted-ca-file=${paths.pki}/etcd-ca.crt`,
    `--${prefix}client-cert-auth`,
  ];
  return [
    `--name=${name}`,
    `--data-dir=${paths.etcdMember}`,
    `--listen-client-urls=${etcdUrl},${clientUrl(address)}`,
    `--advertise-client-urls=${clientUrl(address)}`,
    `--listen-peer-urls=${peerUrl(address)}`,
    `--initial-advertise-peer-urls=${peerUrl(address)}`,
    `--initial-cluster=${cluster.join(',')}`,
    `--initial-cluster-state=${state}`,
    ...tls(''),
    ...tls('peer-'),
    // As k3s sets them.
    ...['--heartbeat-interval=500', '--election-timeout=5000'],
    ...['--auto-compaction-retention=1', '--logger=zap', '--log-level=warn'],
  ];
}

/** The data that this server had as a lone one become the first member's, as k3s takes them over from SQLite. */
async function takeOverLoneData(name: string, address: string): Promise<void> {
  const lone = path.join(paths.etcd, 'member');
  if (!existsSync(lone)) return;
  log("a lone server's data become those of the first member of etcd");
  await restore(path.join(lone, 'snap', 'db'), name, address, ['--skip-hash-check=true']);
  await rename(lone, `${lone}.migrated`);
}

/** Begins anew as the only member, with the data of a snapshot. What was there is kept beside it. */
export async function resetToSnapshot(
  { nodeName }: NodeOptions,
  address: string,
  snapshot: string,
): Promise<void> {
  if (!existsSync(snapshot)) throw new Error(`etcd: snapshot path does not exist: ${snapshot}`);
  if (existsSync(paths.etcdMember))
    await rename(paths.etcdMember, `${paths.etcdMember}-old-${Math.floor(Date.now() / 1000)}`);
  await restore(snapshot, await memberName(nodeName), address);
  log(
    'Managed etcd cluster membership has been reset, restart without --cluster-reset flag now. ' +
      `Backup and delete ${paths.etcd} on each peer etcd server and rejoin the nodes`,
  );
}

/** Fills this server's folder of etcd with the content of a file of etcd's. */
async function restore(
  file: string,
  name: string,
  address: string,
  options: readonly string[] = [],
): Promise<void> {
  const folder = `${paths.etcdMember}.part`;
  await rm(folder, { recursive: true, force: true });
  await etcdctl(
    [etcdUrl],
    ...['snapshot', 'restore', file, `--name=${name}`, `--data-dir=${folder}`, ...options],
    `--initial-cluster=${name}=${peerUrl(address)}`,
    `--initial-advertise-peer-urls=${peerUrl(address)}`,
  );
  await mkdir(paths.etcdMember, { recursive: true, mode: 0o700 });
  await rename(path.join(folder, 'member'), path.join(paths.etcdMember, 'member'));
  await rm(folder, { recursive: true });
}
