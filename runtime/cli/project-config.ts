import { deepMerge, isPlainObject } from '../shared/deep-merge';

/** The content of a `Pulumi.<stack>.yaml`. */
export interface StackSettings {
  readonly encryptionsalt?: string;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly [other: string]: unknown;
}

/** The content of a `Pulumi.yaml`. */
export type ProjectSettings = Readonly<Record<string, unknown>>;

/**
 * The stack's settings as the engine is given them: the project's own, with `overrides` laid over its config
 * (objects key by key, anything else as a whole), and what only the generated copy holds: its encryption salt
 * and its secrets. Secrets that another salt encrypted are left out, since nothing can read them.
 * @param own what the project's `Pulumi.<stack>.yaml` says.
 * @param overrides config keys (`berth:cluster` …) to lay over it.
 * @param previous the generated copy of an earlier run, if there is one.
 */
export function mergeStackSettings(
  own: StackSettings,
  overrides: Readonly<Record<string, unknown>>,
  previous: StackSettings = {},
): StackSettings {
  const config = deepMerge(own.config ?? {}, overrides) as Record<string, unknown>;
  const salt = own.encryptionsalt ?? previous.encryptionsalt;
  if (salt === undefined) return { ...own, config };
  const kept = salt === previous.encryptionsalt ? secretsOf(previous) : {};
  return { ...own, encryptionsalt: salt, config: { ...kept, ...config } };
}

/** The config values of a stack's settings that are encrypted. */
function secretsOf(settings: StackSettings): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(settings.config ?? {}).filter(([, value]) => isSecure(value)),
  );
}

/** True for a value of a stack's settings that the engine encrypted. */
export function isSecure(value: unknown): value is { readonly secure: string } {
  return isPlainObject(value) && typeof value.secure === 'string';
}

/** The project's settings for a copy of them that lies `main` away from the program. */
export function projectSettingsFor(own: ProjectSettings, main: string): ProjectSettings {
  return { ...own, main };
}
