import { existsSync } from 'node:fs';
import { readdir, readFile, rm, rmdir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { LabContext } from '../context';
import { run } from '../exec';

const CGROUPS = '/sys/fs/cgroup';
const GONE_LIMIT_MS = 120_000;
const POLL_MS = 50;

/** Ends every process in the lab's cgroups, in whichever controller, and removes those cgroups. */
export async function removeCgroups(ctx: LabContext): Promise<void> {
  const roots = await cgroupRoots(ctx);
  await awaitTrue(`processes in the cgroup ${ctx.netns} to end`, async () => {
    let left = 0;
    for (const root of roots) {
      for (const folder of await foldersDeepestFirst(root)) {
        const text = await readFile(path.join(folder, 'cgroup.procs'), 'utf8').catch(() => '');
        for (const pid of text.split('\n').filter(Boolean).map(Number)) {
          left += 1;
          kill(pid);
        }
      }
    }
    return left === 0;
  });
  await awaitTrue(`the cgroup ${ctx.netns} to be empty`, async () => {
    for (const root of roots) {
      // A cgroup stays busy for a moment after its last process has ended.
      for (const folder of await foldersDeepestFirst(root))
        await rmdir(folder).catch(() => undefined);
    }
    return roots.every((root) => !existsSync(root));
  });
}

/** The lab's cgroup in each controller (version 1) and in the one tree (version 2). */
async function cgroupRoots(ctx: LabContext): Promise<string[]> {
  const parents = (await readdir(CGROUPS)).map((name) => path.join(CGROUPS, name));
  return [CGROUPS, ...parents].map((parent) => path.join(parent, ctx.netns)).filter(existsSync);
}

async function foldersDeepestFirst(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const inner = await Promise.all(
    entries
      .filter((entry) => entry.isDirectory())
      .map((entry) => foldersDeepestFirst(path.join(folder, entry.name))),
  );
  return [...inner.flat(), folder];
}

/** Unmounts all that is mounted below a folder, innermost first. */
export async function unmountBelow(folder: string): Promise<void> {
  const table = await readFile('/proc/self/mountinfo', 'utf8');
  const points = table
    .split('\n')
    .map((line) => unescapeMount(line.split(' ')[4] ?? ''))
    .filter((point) => point === folder || point.startsWith(`${folder}/`));
  for (const point of points.reverse()) await run('umount', ['-l', point]);
}

/** Mount tables write a space as \040, and so on. */
function unescapeMount(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_all, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}

/**
 * Sockets of containers' shims, which containerd makes in a folder that all engines of the machine share. A shim that is
 * killed leaves its own behind.
 * @param pid a process in the lab's network namespace: only that namespace's sockets are given
 */
export async function shimSockets(pid: number): Promise<string[]> {
  const table = await readFile(`/proc/${pid}/net/unix`, 'utf8').catch(() => '');
  return [...new Set(table.match(/\/run\/containerd\/s\/[0-9a-f]{64}$/gm))];
}

/** Ends processes at once and waits until they are gone. */
export async function killAll(list: () => Promise<number[]>): Promise<void> {
  await awaitTrue('processes in the network namespace to end', async () => {
    const pids = await list();
    pids.forEach(kill);
    return pids.length === 0;
  });
}

/** Removes a folder of the lab; it may hold a great many files. */
export async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function awaitTrue(what: string, check: () => Promise<boolean>): Promise<void> {
  const startedMs = performance.now();
  while (!(await check())) {
    if (performance.now() - startedMs > GONE_LIMIT_MS)
      throw new Error(`waited in vain for ${what}`);
    await delay(POLL_MS);
  }
}
