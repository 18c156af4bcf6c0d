import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import pLimit from 'p-limit';
import { cacheDir, withLock } from '../cache';
import type { Reporter } from '../report';
import { buildGroup, groupKey, requireGo } from './build';
import { builtName, groupOf, type ProgramGroup, type ProgramName } from './table';

export { ensureHostPackages } from './host-packages';
export type { ProgramName } from './table';

/** More builds at once than this are slower on two cores, and need more memory than small machines have. */
const limit = pLimit(2);

/**
 * Absolute paths of the named programs. Those that the cache lacks are built, two modules at a time; a run beside this
 * one that builds the same waits, or is waited for.
 * @throws Error in one line where Go is missing or too old; CommandError where a build fails
 */
export async function ensurePrograms<N extends ProgramName>(
  names: readonly N[],
  reporter: Reporter,
): Promise<Record<N, string>> {
  const wanted = new Map<ProgramGroup, N[]>();
  for (const name of new Set(names)) {
    const group = groupOf(name);
    wanted.set(group, [...(wanted.get(group) ?? []), name]);
  }
  await requireGo(names);
  const parts = await Promise.all(
    [...wanted].map(([group, programs]) => ensureGroup(group, programs, reporter)),
  );
  return Object.assign({}, ...parts) as Record<N, string>;
}

async function ensureGroup(
  group: ProgramGroup,
  programs: readonly string[],
  reporter: Reporter,
): Promise<Record<string, string>> {
  const root = path.join(cacheDir(), 'programs');
  const folder = path.join(root, `${group.module}-${await groupKey(group)}`);
  const paths = Object.fromEntries(programs.map((name) => [name, path.join(folder, name)]));
  const missing = () => programs.filter((name) => !existsSync(path.join(folder, name)));
  if (missing().length === 0) return paths;
  await reporter.step(`build ${missing().join(', ')}`, (detail) =>
    withLock(
      path.join(root, `.${path.basename(folder)}.lock`),
      async () => {
        const todo = missing();
        if (todo.length === 0) return;
        const temporary = path.join(folder, '.building');
        await rm(temporary, { recursive: true, force: true });
        await mkdir(temporary, { recursive: true });
        // A turn is taken only here: who waits for another's build must not keep a third from building.
        if (limit.activeCount >= limit.concurrency) detail('waits for its turn');
        await limit(() => buildGroup(group, todo, temporary, detail));
        for (const name of todo) {
          const built = builtName(group.programs[name] ?? name);
          await rename(path.join(temporary, built), path.join(folder, name));
        }
        await rm(temporary, { recursive: true });
      },
      () => detail('waits for its turn'),
    ),
  );
  return paths;
}
