import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { V1Pod } from '@kubernetes/client-node';

/**
 * The process on this machine that runs a pod's program: nodes are containers here, so their pods' processes are
 * this machine's too. @param program what its command line holds
 */
export async function processOf(pod: V1Pod, program = 'main.js'): Promise<number> {
  const uid = pod.metadata?.uid ?? '';
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const read = (file: string) => readFile(join('/proc', pid, file), 'utf8').catch(() => '');
    const cgroups = await read('cgroup');
    // A systemd driver writes the uid with underscores.
    const inPod = cgroups.includes(uid) || cgroups.includes(uid.replaceAll('-', '_'));
    if (inPod && (await read('cmdline')).includes(program)) return Number(pid);
  }
  throw new Error(`no process of pod ${pod.metadata?.name} (${uid}) is on this machine`);
}
