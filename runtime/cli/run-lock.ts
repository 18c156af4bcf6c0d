import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isAlive, startOf } from './processes';
import type { StackFolder } from './stack-folder';
import { UserError } from './user-error';

/** Who holds a stack: the process, and when it started, since ids are used again. */
interface Holder {
  readonly pid: number;
  readonly start: string | undefined;
  readonly command: string;
}

/**
 * Holds a stack for one run, so that two runs do not work on it at once. The lock of a run that is no more is
 * taken over.
 * @returns what releases it.
 * @throws UserError naming the run that holds it.
 */
export function holdStack(folder: StackFolder, command: string): () => void {
  mkdirSync(folder.root, { recursive: true });
  const mine: Holder = { pid: process.pid, start: startOf(process.pid), command };
  for (;;) {
    try {
      writeFileSync(folder.runLock, JSON.stringify(mine), { flag: 'wx' });
      return () => rmSync(folder.runLock, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = readHolder(folder.runLock);
    if (holder !== undefined && isAlive(holder.pid) && startOf(holder.pid) === holder.start)
      throw new UserError(
        `stack ${folder.stack}: "${holder.command}" is running (process ${holder.pid}); wait for it or end it`,
      );
    rmSync(folder.runLock, { force: true });
  }
}

/** Undefined for a lock that is gone or was cut off while it was written. */
function readHolder(path: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Holder;
  } catch {
    return undefined;
  }
}
