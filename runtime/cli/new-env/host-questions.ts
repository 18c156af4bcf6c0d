import type { confirm, input, select } from '@inquirer/prompts';
import { ARCHITECTURES, type Architecture } from '../../../components/config-schema';
import { DEFAULT_ARCH, type HostAnswer, type SshAnswers } from './hosts';

/** The questions of a terminal that hosts are asked for with. */
export interface Terminal {
  readonly input: typeof input;
  readonly select: typeof select;
  readonly confirm: typeof confirm;
}

const isNumber = (text: string): true | string => /^\d*$/.test(text) || 'must be a whole number';
const isSaid = (text: string): true | string => text.trim() !== '' || 'must be said';

/** Asks for hosts until there are no more, starting from those that flags gave, and for what k3s must be. */
export async function askHosts(ask: Terminal, known: SshAnswers): Promise<SshAnswers> {
  const hosts: HostAnswer[] = [];
  for (const host of known.hosts)
    hosts.push(host.hostKey === undefined ? { ...host, hostKey: await hostKey(ask, host) } : host);
  while (
    hosts.length === 0 ||
    (await ask.confirm({ message: 'Another host?', default: hosts.length < 2 }))
  )
    hosts.push(await askHost(ask, hosts.length === 0));
  const version = await ask.input({
    message: 'Release of k3s (empty: the default)',
    default: known.version,
  });
  const sha256: Partial<Record<Architecture, string>> = { ...known.sha256 };
  for (const arch of new Set(hosts.map((host) => host.arch)))
    sha256[arch] ??= await ask.input({
      message: `sha256 of k3s for ${arch} (in sha256sum-${arch}.txt of the release)`,
      validate: (text) => /^[0-9a-f]{64}$/.test(text) || 'must be 64 hexadecimal digits',
    });
  return { hosts, version, sha256 };
}

async function askHost(ask: Terminal, isFirst: boolean): Promise<HostAnswer> {
  const name = await ask.input({ message: 'Name of the host, and of its node', validate: isSaid });
  const role = await ask.select({
    message: `What is ${name}?`,
    choices: [{ value: 'server' as const }, { value: 'agent' as const }],
    default: isFirst ? ('server' as const) : ('agent' as const),
  });
  const address = await ask.input({ message: 'Its address', validate: isSaid });
  const port = await ask.input({ message: 'Port of its sshd', default: '22', validate: isNumber });
  const user = await ask.input({
    message: 'User: root, or one with sudo and no password',
    default: 'root',
  });
  const arch = await ask.select({
    message: 'Its processor',
    choices: ARCHITECTURES.map((value) => ({ value })),
    default: DEFAULT_ARCH,
  });
  const slot = await ask.input({ message: 'Its slot (1..10, empty: none)', validate: isNumber });
  const device = await ask.input({ message: 'Its device label (empty: none)' });
  const host = {
    ...{ name, role, arch, address },
    ...(port !== '' && port !== '22' && { port: Number(port) }),
    ...(user !== '' && user !== 'root' && { user }),
    ...(slot !== '' && { slot: Number(slot) }),
    ...(device !== '' && { device }),
  };
  return { ...host, hostKey: await hostKey(ask, host) };
}

const hostKey = (ask: Terminal, { name }: Pick<HostAnswer, 'name'>): Promise<string> =>
  ask.input({
    message: `Host key of ${name}: what /etc/ssh/ssh_host_ed25519_key.pub says there`,
    validate: (text) => /^\S+ \S{40,}/.test(text) || 'must be such as "ssh-ed25519 AAAA…"',
  });
