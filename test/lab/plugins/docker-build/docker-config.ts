import { existsSync, readFileSync } from 'node:fs';
import { symlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Registry } from './image-schema';

interface ConfigFile {
  auths?: Record<string, { auth?: string }>;
  [key: string]: unknown;
}

/**
 * Fills `folder` with the user's Docker configuration and the given credentials on top, for this user's eyes only.
 *
 * @returns the variables that make docker and buildx use it.
 */
export async function writeDockerConfig(
  folder: string,
  registries: readonly Registry[],
): Promise<Record<string, string>> {
  const own = process.env.DOCKER_CONFIG ?? join(homedir(), '.docker');
  const file = join(own, 'config.json');
  const config = (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}) as ConfigFile;
  const auths = { ...config.auths };
  for (const { address, username, password } of registries) {
    auths[address] = {
      auth: Buffer.from(`${username ?? ''}:${password ?? ''}`).toString('base64'),
    };
  }
  // Named helpers would be asked instead of what was just given.
  const rest = registries.length > 0 ? { ...config, credsStore: undefined } : config;
  await writeFile(join(folder, 'config.json'), JSON.stringify({ ...rest, auths }), { mode: 0o600 });
  for (const name of ['cli-plugins', 'contexts']) {
    if (existsSync(join(own, name))) await symlink(join(own, name), join(folder, name));
  }
  return { DOCKER_CONFIG: folder, BUILDX_CONFIG: process.env.BUILDX_CONFIG ?? join(own, 'buildx') };
}
