import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';

/** What a lab could leave behind on a machine. */
export interface MachineState {
  readonly mounts: readonly string[];
  readonly links: readonly string[];
  readonly namespaces: readonly string[];
  readonly cgroups: readonly string[];
  readonly iptables: readonly string[];
}

async function lines(command: string, args: readonly string[]): Promise<string[]> {
  // Something below execa exports only to `import`, so it cannot be required.
  const { execa } = await import('execa');
  const { stdout } = await execa(command, [...args], { reject: false });
  return stdout.split('\n').filter((line) => line !== '');
}

/** Reads mounts, network links and namespaces, cgroups (two levels) and packet rules of this machine. */
export async function machineState(): Promise<MachineState> {
  const mounts = (await readFile('/proc/self/mounts', 'utf8')).split('\n').map((line) => {
    const [, target = ''] = line.split(' ');
    return target;
  });
  const links = (await lines('ip', ['-o', 'link'])).map((line) => line.split(':')[1]?.trim() ?? '');
  return {
    mounts: mounts.filter((mount) => mount !== '').sort(),
    links: links.map((link) => link.replace(/@.*/, '')).sort(),
    namespaces: (await lines('ip', ['netns', 'list'])).sort(),
    cgroups: (
      await lines('find', ['/sys/fs/cgroup', '-mindepth', '1', '-maxdepth', '3', '-type', 'd'])
    ).sort(),
    iptables: await lines('iptables-save', []),
  };
}

/** What is in the second state and not in the first, by kind. */
export function added(before: MachineState, after: MachineState): Record<string, string[]> {
  const kinds = Object.keys(before) as (keyof MachineState)[];
  return Object.fromEntries(
    kinds
      .map((kind) => [kind, after[kind].filter((one) => !before[kind].includes(one))] as const)
      .filter(([, extra]) => extra.length > 0),
  );
}

/** Command lines of the processes whose arguments, environment or working directory name a folder. */
export async function processesOf(directory: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    if (Number(pid) === process.pid) continue;
    const read = (file: string) => readFile(join('/proc', pid, file), 'utf8').catch(() => '');
    const cwd = await readlink(join('/proc', pid, 'cwd')).catch(() => '');
    const commandLine = await read('cmdline');
    if (`${commandLine}${await read('environ')}${cwd}`.includes(directory))
      found.push(`${pid} ${commandLine.replaceAll('\0', ' ')}`);
  }
  return found;
}
