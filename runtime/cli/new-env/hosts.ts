import { ARCHITECTURES, type Architecture } from '../../../components/config-schema';
import { UserError } from '../user-error';

/** A host over SSH as `env:new` asks for it. */
export interface HostAnswer {
  readonly name: string;
  readonly role: 'server' | 'agent';
  readonly arch: Architecture;
  readonly address: string;
  readonly port?: number;
  readonly user?: string;
  readonly slot?: number;
  /** Value of the node label `device`. */
  readonly device?: string;
  /** Public key that the host shows; without one the configuration is refused, which says how to get it. */
  readonly hostKey?: string;
}

/** What a cluster over SSH is made of. */
export interface SshAnswers {
  readonly hosts: readonly HostAnswer[];
  /** Release of k3s; empty for the default. */
  readonly version: string;
  /** sha256 of k3s, by processor. */
  readonly sha256: Readonly<Partial<Record<Architecture, string>>>;
}

const FORM = 'NAME=[USER@]ADDRESS[:PORT][,arch=ARCH][,slot=N][,device=LABEL]';
/** Boards are, mostly. */
export const DEFAULT_ARCH: Architecture = 'arm64';

/**
 * Reads one host, such as `board-1=pi@192.0.2.11:2222,slot=1,device=agx`.
 * @throws UserError for what has another form; its values are checked with the configuration.
 */
export function hostAnswer(text: string, role: HostAnswer['role']): HostAnswer {
  const [where = '', ...settings] = text.trim().split(',');
  const parts = /^([^=@:]+)=(?:([^@:]+)@)?([^@:]+)(?::(\d+))?$/.exec(where);
  if (parts === null) throw new UserError(`${role} ${text}: must be ${FORM}`);
  const [, name = '', user, address = '', port] = parts;
  const said = Object.fromEntries(
    settings.map((setting) => {
      const [, key = '', value = ''] = /^(arch|slot|device)=(.+)$/.exec(setting.trim()) ?? [];
      if (key === '' || (key === 'slot' && !/^\d+$/.test(value)))
        throw new UserError(
          `${role} ${text}: ${setting} must be arch=ARCH, slot=N or device=LABEL`,
        );
      return [key, value];
    }),
  );
  return {
    ...{ name, role, address, arch: archOf(said.arch ?? DEFAULT_ARCH, text) },
    ...(port !== undefined && { port: Number(port) }),
    ...(user !== undefined && { user }),
    ...(said.slot !== undefined && { slot: Number(said.slot) }),
    ...(said.device !== undefined && { device: said.device }),
  };
}

function archOf(value: string, text: string): Architecture {
  const found = ARCHITECTURES.find((arch) => arch === value);
  if (found === undefined)
    throw new UserError(`${text}: ${value} must be one of ${ARCHITECTURES.join(', ')}`);
  return found;
}

/** Reads `ARCH=SHA256`. @throws UserError for another processor. */
export function checksumAnswer(text: string): readonly [Architecture, string] {
  const [arch = '', sum = ''] = text.split('=');
  return [archOf(arch, text), sum];
}

/**
 * A host's key from what `ssh-keyscan` prints, which is how `known_hosts` has it: its ed25519 key where there is one. Hashed
 * names, as some `known_hosts` have, name nobody.
 */
export function knownKey(
  knownHosts: string,
  { address, port = 22 }: HostAnswer,
): string | undefined {
  const names = port === 22 ? [address, `[${address}]:22`] : [`[${address}]:${port}`];
  const keys = knownHosts.split(/\r?\n/).flatMap((line) => {
    const [hosts = '', type = '', key = ''] = line.trim().split(/\s+/);
    const isIts = hosts.split(',').some((host) => names.includes(host));
    return isIts && key !== '' ? [`${type} ${key}`] : [];
  });
  return keys.find((key) => key.startsWith('ssh-ed25519 ')) ?? keys[0];
}

/** What the configuration says of a host. */
export const hostValues = ({ role, slot, device, ...rest }: HostAnswer) => ({
  ...rest,
  ...(role === 'server' && { role }),
  ...(slot !== undefined && { slot }),
  ...(device !== undefined && { labels: { device } }),
});
