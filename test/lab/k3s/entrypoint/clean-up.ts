import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { removePodCgroups } from './cgroup';
import { errorText, log } from './log';
import { run } from './run';

function killOthers(signal: NodeJS.Signals): number {
  const spared = new Set([1, process.pid]);
  const pids = readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && !spared.has(pid));
  let alive = 0;
  for (const pid of pids) {
    try {
      // A zombie waits only for its parent.
      if (/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))) continue;
      process.kill(pid, signal);
      alive += 1;
    } catch {
      // It ended meanwhile.
    }
  }
  return alive;
}

/** Ends the pods that the kubelet left running, then unmounts what they had and removes their cgroups. */
export async function cleanUp(cgroup: string, graceMs: number): Promise<void> {
  const deadline = Date.now() + graceMs;
  let alive = killOthers('SIGTERM');
  while (alive > 0 && Date.now() < deadline) {
    await delay(50);
    alive = killOthers('SIGCONT');
  }
  if (alive > 0) killOthers('SIGKILL');
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').trim().split('\n');
  const ours = mounts
    .map((line) => line.split(' ')[4] ?? '')
    .filter((path) => /^\/(var\/lib\/kubelet|run\/k3s|run\/netns|run\/containerd)\//.test(path));
  for (const path of ours.reverse()) await run('umount', ['-l', path]).catch(() => undefined);
  try {
    removePodCgroups(cgroup);
  } catch (error) {
    log(`pods' cgroups: ${errorText(error)}`);
  }
}
