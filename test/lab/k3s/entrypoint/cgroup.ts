import { existsSync, readdirSync, rmdirSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';

const mount = '/sys/fs/cgroup';

/**
 * This container's own cgroup, from the text of /proc/self/cgroup.
 * @returns a path from the hierarchy's root, such as /docker/0123…, the same in every hierarchy.
 * @throws Error when the container's cgroup cannot be seen (cgroupns private).
 */
export function ownCgroup(procSelfCgroup: string): string {
  const lines = procSelfCgroup
    .trim()
    .split('\n')
    .map((line) => line.split(':'));
  const line =
    lines.find((parts) => parts[1]?.split(',').includes('cpu')) ?? lines.find((p) => p[1] === '');
  const path = line
    ?.slice(2)
    .join(':')
    .replace(/\/init$/, '');
  if (!path || path === '/')
    throw new Error('this container does not see its own cgroup: it needs --cgroupns=host');
  return path;
}

/** Whether the machine has the unified hierarchy only. */
function isUnified(): boolean {
  return existsSync(`${mount}/cgroup.controllers`);
}

/**
 * Makes the own cgroup fit to hold pods. In the unified hierarchy a cgroup with children may hold no
 * process itself, so ours move to a leaf, as k3s does.
 */
export async function prepareCgroup(own: string): Promise<void> {
  if (!existsSync(`${mount}${isUnified() ? own : `/cpu${own}`}`))
    throw new Error(
      `${own} is not under /sys/fs/cgroup: mount the machine's /sys/fs/cgroup read-write`,
    );
  if (!isUnified()) return;
  const leaf = `${mount}${own}/init`;
  await mkdir(leaf, { recursive: true });
  const pids = (await readFile(`${mount}${own}/cgroup.procs`, 'utf8')).trim().split('\n');
  for (const pid of pids) await writeFile(`${leaf}/cgroup.procs`, pid).catch(() => undefined);
  const controllers = (await readFile(`${mount}${own}/cgroup.controllers`, 'utf8'))
    .trim()
    .split(' ');
  for (const name of controllers)
    await writeFile(`${mount}${own}/cgroup.subtree_control`, `+${name}`).catch(() => undefined);
}

function removeTree(path: string): void {
  for (const entry of readdirSync(path, { withFileTypes: true }))
    if (entry.isDirectory()) removeTree(`${path}/${entry.name}`);
  rmdirSync(path);
}

/** Removes the pods' cgroups, once no pod runs. */
export function removePodCgroups(own: string): void {
  const roots = isUnified() ? [mount] : readdirSync(mount).map((name) => `${mount}/${name}`);
  for (const root of roots) {
    const pods = `${root}${own}/kubepods`;
    if (existsSync(pods)) removeTree(pods);
  }
}
