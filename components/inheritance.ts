import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { deepMerge } from '../runtime/shared/deep-merge';
import { ConfigError, SECRET_KEYS } from './config';

/** Values of a stack's keys below `berth:`, without the namespace and without secrets. */
export type StackValues = Readonly<Record<string, unknown>>;

/**
 * A stack's values with those of the stacks that it extends below them: objects key by key, lists as a whole. What is
 * empty says nothing, since the engine gives a program an empty default for each key that the stack leaves out.
 * @param read the values of another stack; undefined where there is none.
 * @throws ConfigError where a stack that is extended is not there, or extends itself in the end.
 */
export function withInherited(
  own: StackValues,
  read: (stack: string) => StackValues | undefined,
  path: readonly string[] = [],
): StackValues {
  const parent = own.extends;
  if (typeof parent !== 'string' || parent === '') return own;
  if (path.includes(parent))
    throw new ConfigError([`berth:extends: ${[...path, parent].join(' → ')} goes in a circle`]);
  const values = read(parent);
  if (values === undefined)
    throw new ConfigError([`berth:extends: "${parent}" has no Pulumi.${parent}.yaml`]);
  const inherited = withInherited(values, read, [...path, parent]);
  return { ...(deepMerge(inherited, withoutEmpty(own)) as StackValues), extends: parent };
}

const withoutEmpty = (values: StackValues): StackValues =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => !isEmpty(value)));

const isEmpty = (value: unknown): boolean =>
  value === '' || (Array.isArray(value) && value.length === 0);

/** What a project's `Pulumi.<stack>.yaml` says; undefined where there is no such file. */
export function stackFileValues(projectDir: string, stack: string): StackValues | undefined {
  const file = join(projectDir, `Pulumi.${stack}.yaml`);
  if (!existsSync(file)) return undefined;
  const { config = {} } = (parse(readFileSync(file, 'utf8')) ?? {}) as { config?: StackValues };
  return Object.fromEntries(
    Object.entries(config).flatMap(([key, value]) => {
      const [namespace, name = ''] = key.split(':');
      const isOurs = namespace === 'berth' && !SECRET_KEYS.some((secret) => secret === name);
      return isOurs ? [[name, value]] : [];
    }),
  );
}
