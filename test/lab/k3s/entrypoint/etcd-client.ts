import { paths } from './paths';
import { run } from './run';

/** A member of etcd. */
export interface EtcdMember {
  /** In hexadecimal digits. */
  readonly id: string;
  /** Empty until it has started for the first time. */
  readonly name: string;
  readonly peerUrl: string;
  /** Empty until it has started for the first time. */
  readonly clientUrl: string;
  /** True while it has no vote. */
  readonly isLearner: boolean;
}

const pki = (name: string): string => `${paths.pki}/${name}`;

/** Runs etcdctl against the first of these endpoints that answers. */
export function etcdctl(endpoints: readonly string[], ...args: string[]): Promise<string> {
  const isSecure = endpoints.some((endpoint) => endpoint.startsWith('https:'));
  return run('etcdctl', [
    `--endpoints=${endpoints.join(',')}`,
    '--command-timeout=20s',
    ...(isSecure
      ? [
          ...[`--cacert=${pki('etcd-ca.crt')}`, `--cert=${pki('etcd-client.crt')}`],
          `--key=${pki('etcd-client.key')}`,
        ]
      : []),
    ...args,
  ]);
}

/** Reads lines such as `8e9e05c52164694d, started, NAME, https://PEER, https://CLIENT, false`. */
export function parseMembers(text: string): EtcdMember[] {
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line) => {
    const [id = '', , name = '', peerUrl = '', clientUrl = '', learner] = line.split(', ');
    return { id, name, peerUrl, clientUrl, isLearner: learner === 'true' };
  });
}

/** All members, as one of them knows them. */
export const etcdMembers = async (endpoints: readonly string[]): Promise<EtcdMember[]> =>
  parseMembers(await etcdctl(endpoints, 'member', 'list'));

/** Takes a member out, if it is one. */
export async function removeMember(
  endpoints: readonly string[],
  name: string,
  address: string,
): Promise<void> {
  const member = (await etcdMembers(endpoints)).find(
    (one) => one.name === name && new URL(one.peerUrl).hostname === address,
  );
  if (member !== undefined) await etcdctl(endpoints, 'member', 'remove', member.id);
}
