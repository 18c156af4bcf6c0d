import { UserError } from '../user-error';

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
  readonly kind: 'docker' | 'existing';
  readonly nodes: readonly NodeAnswer[];
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
    kind: oneOf('kind', flags.kind ?? 'existing', ['docker', 'existing']),
    nodes: (flags.node ?? []).map(nodeAnswer),
    registry: flags.registry ?? '',
    username: flags.username ?? '',
    platforms: flags.platform ?? (flags.extends ? [] : PLATFORMS),
    systems: flags.system ?? (flags.extends ? [] : ['cpuScheduling']),
    safety: oneOf('safety', flags.safety ?? 'warn', ['warn', 'strict']),
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
