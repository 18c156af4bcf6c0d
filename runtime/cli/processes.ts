import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

/** True where a process of this machine has that id and is not a zombie. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it is there, and someone else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return stateOf(pid) !== 'Z';
}

/** The command name of a process (first 15 characters); undefined where that cannot be read. */
export function commandOf(pid: number): string | undefined {
  return readProc(pid, 'comm')?.trim();
}

/** When a process started, in clock ticks since boot: with the id it names a process for good. */
export function startOf(pid: number): string | undefined {
  return fieldsOf(pid)?.[19];
}

function stateOf(pid: number): string | undefined {
  return fieldsOf(pid)?.[0];
}

/** The fields of /proc/PID/stat that follow the command name, which may hold spaces and brackets. */
function fieldsOf(pid: number): string[] | undefined {
  const stat = readProc(pid, 'stat');
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function readProc(pid: number, name: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return undefined;
  }
}

/** The name that the engine and the run lock know this machine by. */
export const thisMachine = hostname;
