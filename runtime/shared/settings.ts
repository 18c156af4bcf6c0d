import { z } from 'zod';

/** One setting of a service: how it is named in the environment, what it means, and what is allowed. */
export interface SettingSpec<T = unknown> {
  /** Name of the environment variable. */
  readonly env: string;
  /** What the setting does, for `--help` and the documentation. */
  readonly description: string;
  /** Unit of the value (`ms`, `bytes`, `ratio 0..1`), where it has one. */
  readonly unit?: string;
  /** Parses the text of the environment variable; carries default and range. */
  readonly schema: z.ZodType<T, unknown>;
  /** True where the value must come from a Secret and never be printed. */
  readonly secret?: boolean;
}

/** A service's settings table: names to specs. */
export type SettingsTable = Readonly<Record<string, SettingSpec>>;

/** The parsed values of a settings table. */
export type SettingsOf<T extends SettingsTable> = {
  readonly [K in keyof T]: z.infer<T[K]['schema']>;
};

/** All that is wrong with a service's environment, one line for each variable. */
export class SettingsError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(`invalid settings:\n${problems.map((p) => `  ${p}`).join('\n')}`);
    this.name = 'SettingsError';
  }
}

/** Keeps the literal types of a settings table. */
export function defineSettings<const T extends SettingsTable>(table: T): T {
  return table;
}

/**
 * Reads every setting from an environment.
 * @throws SettingsError naming every bad variable, what it was (unless secret) and what is allowed.
 */
export function parseSettings<T extends SettingsTable>(
  table: T,
  env: Readonly<Record<string, string | undefined>>,
): SettingsOf<T> {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, spec] of Object.entries(table)) {
    const text = env[spec.env];
    const parsed = spec.schema.safeParse(text === '' ? undefined : text);
    if (parsed.success) values[name] = parsed.data;
    else {
      const got =
        text === undefined ? 'is not set' : spec.secret ? '(secret)' : JSON.stringify(text);
      const why = parsed.error.issues.map((issue) => issue.message).join('; ');
      problems.push(`${spec.env} ${got}: ${why}`);
    }
  }
  if (problems.length > 0) throw new SettingsError(problems);
  return values as SettingsOf<T>;
}

/** A value that a component sets for a service; undefined leaves the service's own default. */
export type SettingValues<T extends SettingsTable> = {
  readonly [K in keyof T]?: string | number | boolean | undefined;
};

/** An environment variable of a container. */
export interface EnvVar {
  readonly name: string;
  readonly value: string;
}

/**
 * The environment variables that give a service these values, checked against its own table, so that a
 * bad value fails where the estate is declared and not where the service starts.
 * @throws SettingsError as parseSettings does; a secret setting is refused, since it belongs into a Secret.
 */
export function settingsToEnv<T extends SettingsTable>(
  table: T,
  values: SettingValues<T>,
): EnvVar[] {
  const env: EnvVar[] = [];
  const problems: string[] = [];
  for (const [name, value] of Object.entries(values)) {
    const spec = table[name];
    if (value === undefined) continue;
    if (spec === undefined) problems.push(`${name}: no such setting`);
    else if (spec.secret) problems.push(`${spec.env}: is secret, refer to a Secret instead`);
    else {
      const parsed = spec.schema.safeParse(String(value));
      if (!parsed.success)
        problems.push(
          `${spec.env} ${JSON.stringify(value)}: ${parsed.error.issues.map((i) => i.message).join('; ')}`,
        );
      env.push({ name: spec.env, value: String(value) });
    }
  }
  if (problems.length > 0) throw new SettingsError(problems);
  return env;
}

/** A number between min and max (inclusive), with a default. */
export const numberSetting = (min: number, max: number, fallback: number) =>
  z.coerce
    .number({ error: `must be a number from ${min} to ${max}` })
    .min(min, `must be from ${min} to ${max}`)
    .max(max, `must be from ${min} to ${max}`)
    .default(fallback);

/** A whole number between min and max (inclusive), with a default. */
export const integerSetting = (min: number, max: number, fallback: number) =>
  z.coerce
    .number({ error: `must be a whole number from ${min} to ${max}` })
    .int(`must be a whole number from ${min} to ${max}`)
    .min(min, `must be from ${min} to ${max}`)
    .max(max, `must be from ${min} to ${max}`)
    .default(fallback);

/** `true` or `false`, with a default. */
export const booleanSetting = (fallback: boolean) =>
  z
    .enum(['true', 'false'], { error: 'must be true or false' })
    .default(fallback ? 'true' : 'false')
    .transform((text) => text === 'true');

/** Text, with a default; without a default it is required. */
export const stringSetting = (fallback?: string) => {
  const text = z.string({ error: 'is required' });
  return fallback === undefined ? text.min(1, 'is required') : text.default(fallback);
};
