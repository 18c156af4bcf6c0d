import { resolve } from 'node:path';
import * as pulumi from '@pulumi/pulumi';
import { allConfig } from '@pulumi/pulumi/runtime/config';
import { parseEstateConfig, SECRET_KEYS, type EstateConfig, type SecretKey } from './config';
import { stackFileValues, withInherited } from './inheritance';

const projectDirectory = resolve(__dirname, '..');

/** A stack's configuration, and its secrets apart from it. */
export interface StackConfig {
  readonly config: EstateConfig;
  readonly secrets: Readonly<Partial<Record<SecretKey, pulumi.Output<string> | undefined>>>;
}

/**
 * Reads and checks the configuration of the running stack.
 * @throws ConfigError naming every problem at once.
 */
export function readStackConfig(): StackConfig {
  const namespace = 'berth';
  const stack = new pulumi.Config(namespace);
  const set = Object.entries(allConfig())
    .filter(([key, value]) => key.startsWith(`${namespace}:`) && value !== '')
    .map(([key]) => key.slice(namespace.length + 1));
  const isSecret = (key: string): key is SecretKey => SECRET_KEYS.some((secret) => secret === key);
  const own = Object.fromEntries(
    set.filter((key) => !isSecret(key)).map((key) => [key, parseJson(stack.get(key))]),
  );
  const values = withInherited(own, (name) => stackFileValues(projectDirectory, name));
  const keys = [...new Set([...set, ...Object.keys(values)])];
  const config = parseEstateConfig({ values, keys, secrets: new Set(set.filter(isSecret)) });
  const secrets = Object.fromEntries(
    SECRET_KEYS.map((key) => [key, set.includes(key) ? stack.getSecret(key) : undefined]),
  );
  return { config, secrets: secrets as StackConfig['secrets'] };
}

/** Objects arrive as JSON; what is not JSON is left as it is, for the schema to refuse. */
function parseJson(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
