import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { commandOf, isAlive, thisMachine } from './processes';
import type { StackFolder } from './stack-folder';
import { UserError } from './user-error';

/** What the engine writes into a lock of its file backend. */
interface EngineLock {
  readonly pid: number;
  readonly hostname: string;
  readonly username: string;
}

/**
 * Removes the engine's locks that runs left behind which are no more (killed, or the machine went down), as
 * `pulumi cancel` does.
 * @returns how many it removed.
 * @throws UserError where a lock's engine still runs, or is another machine's.
 */
export function mendEngineLocks(folder: StackFolder): number {
  let removed = 0;
  for (const file of lockFiles(join(folder.state, '.pulumi', 'locks'))) {
    const lock = readLock(file);
    if (lock !== undefined && !isDead(lock))
      throw new UserError(
        `stack ${folder.stack}: an engine works on it (process ${lock.pid} of ${lock.username}@${lock.hostname}); ` +
          `wait for it, or end it and run this again`,
      );
    rmSync(file, { force: true });
    removed += 1;
  }
  return removed;
}

/** A process of this machine that is gone, or whose id now belongs to something else than an engine. */
function isDead(lock: EngineLock): boolean {
  if (lock.hostname !== thisMachine()) return false;
  return !isAlive(lock.pid) || commandOf(lock.pid)?.startsWith('pulumi') === false;
}

function lockFiles(dir: string): string[] {
  if (!existsSync(dir)) return [];
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.json'))
    .map((name) => join(dir, name));
}

/** Undefined for a lock that was cut off while it was written: its writer is no more. */
function readLock(file: string): EngineLock | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as EngineLock;
  } catch {
    return undefined;
  }
}
