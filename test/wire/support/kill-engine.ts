import { readdirSync, readFileSync } from 'node:fs';

/** Kills the engines that this process runs, with their plugins and what those run: all at once, unasked. */
export function killEngines(): void {
  const parents = new Map<number, number>();
  for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'utf8');
      const [, parent = ''] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      parents.set(Number(entry), Number(parent));
    } catch {
      // It has ended meanwhile.
    }
  }
  const below = (root: number): number[] =>
    [...parents].flatMap(([pid, parent]) => (parent === root ? [pid, ...below(pid)] : []));
  const engines = [...parents].flatMap(([pid, parent]) =>
    parent === process.pid && commandOf(pid).includes('/bin/pulumi') ? [pid] : [],
  );
  for (const pid of engines.flatMap((engine) => [engine, ...below(engine)])) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended meanwhile.
    }
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
