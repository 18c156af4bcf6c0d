import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A package that the program uses, as `pulumi about` lists it. */
export interface Dependency {
  name: string;
  version: string;
}

interface Manifest {
  version?: string;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}

interface LockFile {
  packages?: Record<string, { version?: string; link?: boolean }>;
}

/**
 * The installed packages of the program in `directory`: those its package.json names, or with
 * `transitive` all that its package-lock.json holds.
 *
 * @throws Error when there is no package.json (or no package-lock.json) in or above the folder.
 */
export function programDependencies(directory: string, transitive: boolean): Dependency[] {
  if (transitive) {
    const lock = readJson<LockFile>(findUpwards(directory, 'package-lock.json'));
    return Object.entries(lock.packages ?? {}).flatMap(([path, { version }]) => {
      const name = path.split('node_modules/').at(-1) ?? '';
      return path === '' || version === undefined ? [] : [{ name, version }];
    });
  }
  const manifest = readJson<Manifest>(findUpwards(directory, 'package.json'));
  return Object.keys({ ...manifest.dependencies, ...manifest.devDependencies }).flatMap((name) => {
    const version = installedVersion(directory, name);
    return version === undefined ? [] : [{ name, version }];
  });
}

/** The version of package `name` that a program in `directory` would load, if it is installed. */
export function installedVersion(directory: string, name: string): string | undefined {
  try {
    const path = findUpwards(directory, join('node_modules', name, 'package.json'));
    return readJson<Manifest>(path).version;
  } catch {
    return undefined;
  }
}

function findUpwards(directory: string, file: string): string {
  for (let folder = directory; ; folder = dirname(folder)) {
    const path = join(folder, file);
    if (existsSync(path)) return path;
    if (dirname(folder) === folder) throw new Error(`no ${file} in or above ${directory}`);
  }
}

function readJson<T>(path: string): T {
  return JSON.parse(readFileSync(path, 'utf8')) as T;
}
