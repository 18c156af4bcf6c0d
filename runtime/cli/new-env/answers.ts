import { UserError } from '../user-error';
import { checksumAnswer, hostAnswer, knownKey, type SshAnswers } from './hosts';

/** A node as `env:new` asks for it. */
export interface NodeAnswer {
  readonly name: string;
  readonly slot?: number;
  /** Value of the node label `device`. */
  readonly device?: string;
}

/** What `env:new` has to know of an environment. */
export interface Answers {
  /** Stack that it extends; empty for none. */
  readonly extends: string;
  readonly kind: 'docker' | 'existing' | 'ssh';
  /** Of any kind but ssh, whose hosts are the nodes. */
  readonly nodes: readonly NodeAnswer[];
  readonly ssh: SshAnswers;
  /** Empty where it is the extended stack's, or the default. */
  readonly registry: string;
  readonly username: string;
  readonly platforms: readonly string[];
  /** Names of the systems that are on. */
  readonly systems: readonly string[];
  readonly safety: 'warn' | 'strict';
}

/** The flags of `env:new`, as given. */
export interface AnswerFlags {
  readonly extends?: string;
  readonly kind?: string;
  readonly node?: readonly string[];
  readonly server?: readonly string[];
  readonly agent?: readonly string[];
  readonly hostKey?: readonly string[];
  /** Content of a `known_hosts`. */
  readonly knownHosts?: string;
  readonly k3sVersion?: string;
  readonly sha256?: readonly string[];
  readonly registry?: string;
  readonly username?: string;
  readonly platform?: readonly string[];
  readonly system?: readonly string[];
  readonly safety?: string;
}

export const PLATFORMS = ['linux/amd64', 'linux/arm64'] as const;

/**
 * The answers that the flags give, with the defaults of what they leave open.
 * @throws UserError for a flag that is not one of its values.
 */
export function answersOf(flags: AnswerFlags): Answers {
  return {
    extends: flags.extends ?? '',
    kind: oneOf('kind', flags.kind ?? (flags.server ? 'ssh' : 'existing'), [
      'docker',
      'existing',
      'ssh',
    ]),
    nodes: (flags.node ?? []).map(nodeAnswer),
    ssh: sshAnswers(flags),
    registry: flags.registry ?? '',
    username: flags.username ?? '',
    platforms: flags.platform ?? (flags.extends ? [] : PLATFORMS),
    systems: flags.system ?? (flags.extends ? [] : ['cpuScheduling']),
    safety: oneOf('safety', flags.safety ?? 'warn', ['warn', 'strict']),
  };
}

function sshAnswers(flags: AnswerFlags): SshAnswers {
  const { server = [], agent = [], hostKey = [], knownHosts = '' } = flags;
  const keys = new Map(
    hostKey.map((text) => {
      const at = text.indexOf('=');
      if (at < 1) throw new UserError(`--host-key ${text}: must be NAME=KEY`);
      return [text.slice(0, at), text.slice(at + 1).trim()];
    }),
  );
  const hosts = [
    ...server.map((text) => hostAnswer(text, 'server')),
    ...agent.map((text) => hostAnswer(text, 'agent')),
  ];
  for (const name of keys.keys())
    if (!hosts.some((host) => host.name === name))
      throw new UserError(`--host-key ${name}=…: there is no --server or --agent of that name`);
  return {
    hosts: hosts.map((host) => {
      const key = keys.get(host.name) ?? knownKey(knownHosts, host);
      return key === undefined ? host : { ...host, hostKey: key };
    }),
    version: flags.k3sVersion ?? '',
    sha256: Object.fromEntries((flags.sha256 ?? []).map(checksumAnswer)),
  };
}

/**
 * Reads `NAME[:SLOT[:DEVICE]]`.
 * @throws UserError for a slot that is not a number; its range is checked with the configuration.
 */
export function nodeAnswer(text: string): NodeAnswer {
  const [name = '', slot = '', device = ''] = text.trim().split(':');
  if (slot !== '' && !/^\d+$/.test(slot))
    throw new UserError(
      `node ${text}: must be NAME[:SLOT[:DEVICE]], such as board-1:1:agx-desktop`,
    );
  return {
    name,
    ...(slot === '' ? {} : { slot: Number(slot) }),
    ...(device === '' ? {} : { device }),
  };
}

function oneOf<T extends string>(flag: string, value: string, values: readonly T[]): T {
  const found = values.find((one) => one === value);
  if (found === undefined)
    throw new UserError(`--${flag} ${value}: must be one of ${values.join(', ')}`);
  return found;
}
