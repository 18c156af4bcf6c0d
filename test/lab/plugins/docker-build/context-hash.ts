import { createHash, type Hash } from 'node:crypto';
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseIgnoreFile, type Ignores } from './ignore-patterns';

/** What a build reads from disk. */
export interface BuildSources {
  /** Folder, or a URL (which is not looked at). */
  context: string;
  /** Dockerfile, or nothing when it is inline. */
  dockerfile?: string;
  /** Further contexts by name: folders, or URLs and images. */
  named?: Record<string, string>;
}

/**
 * A hash of the Dockerfile and of every file in the contexts that .dockerignore leaves in: its path, mode and
 * content. Times and owners do not count, so it is the same in every checkout.
 */
export function contextHash(sources: BuildSources): string {
  const hash = createHash('sha256');
  const ignores = ignoreRules(sources);
  if (sources.dockerfile !== undefined && kindOf(sources.dockerfile) === 'file') {
    hash.update(readFileSync(sources.dockerfile));
  }
  const named = Object.entries(sources.named ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  for (const folder of [sources.context, ...named.map(([, location]) => location)]) {
    if (kindOf(folder) === 'folder') hashFolder(hash, folder, '', ignores);
  }
  return hash.digest('hex');
}

/** `<Dockerfile>.dockerignore` where there is one, else the context's own. */
function ignoreRules({ dockerfile, context }: BuildSources): Ignores {
  const own = dockerfile === undefined ? [] : [`${dockerfile}.dockerignore`];
  const file = [...own, join(context, '.dockerignore')].find((path) => kindOf(path) === 'file');
  return file === undefined ? () => false : parseIgnoreFile(readFileSync(file, 'utf8'));
}

function hashFolder(hash: Hash, root: string, below: string, ignores: Ignores): void {
  const entries = readdirSync(join(root, below), { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    const file = join(root, path);
    // A folder that is left out may hold files that a later rule takes in again.
    if (entry.isDirectory()) hashFolder(hash, root, path, ignores);
    else if (ignores(path)) continue;
    else if (entry.isSymbolicLink()) hash.update(`link ${path}\0${readlinkSync(file)}\0`);
    else if (entry.isFile()) {
      hash.update(`file ${path}\0${(statSync(file).mode & 0o777).toString(8)}\0`);
      hash.update(readFileSync(file));
    }
  }
}

/** What a path is; a URL or a path that does not exist is nothing. */
export function kindOf(path: string): 'file' | 'folder' | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  return stat.isDirectory() ? 'folder' : 'file';
}
