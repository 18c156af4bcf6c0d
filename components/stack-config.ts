import { resolve } from 'node:path';
import * as pulumi from '@pulumi/pulumi';
import { allConfig } from '@pulumi/pulumi/runtime/config';
import { isPlainObject } from '../runtime/shared/deep-merge';
import {
  ConfigError,
  parseEstateConfig,
  SECRET_KEYS,
  type EstateConfig,
  type SecretKey,
} from './config';
import { stackFileValues, withInherited } from './inheritance';

const projectDirectory = resolve(__dirname, '..');

/** A stack's configuration, and its secrets apart from it. */
export interface StackConfig {
  readonly config: EstateConfig;
  readonly secrets: Readonly<Partial<Record<SecretKey, pulumi.Output<string> | undefined>>>;
  /** Private keys of hosts that have one of their own, by host. */
  readonly hostKeys?: Readonly<Record<string, pulumi.Output<string>>>;
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
  const hostKeys = privateKeys(allConfig()[`${namespace}:sshPrivateKeys`]);
  const config = parseEstateConfig({
    values,
    keys,
    secrets: new Set(set.filter(isSecret)),
    hostsWithKey: Object.keys(hostKeys),
  });
  const secrets = Object.fromEntries(
    SECRET_KEYS.map((key) => [key, set.includes(key) ? stack.getSecret(key) : undefined]),
  );
  return { config, secrets: secrets as StackConfig['secrets'], hostKeys };
}

/**
 * The keys of hosts by host, from JSON.
 * @throws ConfigError, without a key, where they are something else.
 */
export function privateKeys(text = '{}'): Record<string, pulumi.Output<string>> {
  const value = parseJson(text);
  const entries = isPlainObject(value) ? Object.entries(value) : [];
  if (!isPlainObject(value) || entries.some(([, key]) => typeof key !== 'string' || key === ''))
    throw new ConfigError([
      'berth:sshPrivateKeys: must be a key for each host named there: pulumi config set --secret --path berth:sshPrivateKeys.HOST -- "$(cat FILE)"',
    ]);
  return Object.fromEntries(entries.map(([host, key]) => [host, pulumi.secret(String(key))]));
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
