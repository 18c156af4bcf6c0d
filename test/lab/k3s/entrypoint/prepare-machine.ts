import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { log } from './log';
import { run } from './run';

/** What the kubelet would set for the whole machine, and not only for this container. */
const machineWide = [
  '/proc/sys/vm/overcommit_memory',
  '/proc/sys/vm/panic_on_oom',
  '/proc/sys/kernel/panic',
  '/proc/sys/kernel/panic_on_oops',
  '/proc/sys/kernel/keys/root_maxkeys',
  '/proc/sys/kernel/keys/root_maxbytes',
];

/** What a node needs of its network namespace. */
const networkSettings: Record<string, string> = {
  '/proc/sys/net/ipv4/ip_forward': '1',
  '/proc/sys/net/ipv4/conf/all/route_localnet': '1',
  '/proc/sys/net/bridge/bridge-nf-call-iptables': '1',
};

function mountPoints(): { path: string; readOnly: boolean }[] {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').trim().split('\n');
  return lines.map((line) => {
    const [, , , , path = '', options = ''] = line.split(' ');
    return { path, readOnly: options.split(',').includes('ro') };
  });
}

/**
 * Undoes what Docker does to an unprivileged container's /proc and /sys: read-only and masked paths.
 * (Docker's own option for it, systempaths=unconfined, exists only in its command line client.)
 */
async function openSystemPaths(): Promise<void> {
  for (const { path, readOnly } of mountPoints()) {
    if (path.startsWith('/proc/')) await run('umount', [path]);
    else if (readOnly && path === '/sys') await run('mount', ['-o', 'remount,rw,bind', path]);
  }
}

/** Puts plain files over the settings of the whole machine: the kubelet writes, the machine stays as it is. */
async function shieldMachine(): Promise<void> {
  await mkdir('/run/k3s/sysctl', { recursive: true });
  for (const path of machineWide) {
    if (!existsSync(path)) continue;
    const copy = `/run/k3s/sysctl/${path.slice('/proc/sys/'.length).replaceAll('/', '.')}`;
    await writeFile(copy, readFileSync(path));
    await run('mount', ['--bind', copy, path]);
  }
}

/**
 * Of the kernel's two kinds of iptables, takes the one in which Docker has already written (for its DNS),
 * and otherwise the newer one, where the kernel has it.
 */
async function chooseIptables(): Promise<void> {
  const natRules = (kind: string): Promise<string | undefined> =>
    run(`iptables-${kind}`, ['-t', 'nat', '-S']).catch(() => undefined);
  const [nft, legacy] = await Promise.all([natRules('nft'), natRules('legacy')]);
  const kind = nft === undefined || legacy?.includes('DOCKER_OUTPUT') ? 'legacy' : 'nft';
  for (const family of ['iptables', 'ip6tables'])
    for (const command of [family, `${family}-save`, `${family}-restore`]) {
      await rm(`/usr/sbin/${command}`, { force: true });
      await symlink(`xtables-${kind}-multi`, `/usr/sbin/${command}`);
    }
  log(`iptables: ${kind}`);
}

/** Makes this container fit to be a node. @throws Error that names what it lacks. */
export async function prepareMachine(): Promise<void> {
  await run('mount', ['--make-rshared', '/']).catch((error: Error) => {
    throw new Error(`a node needs CAP_SYS_ADMIN and seccomp=unconfined (${error.message})`);
  });
  await openSystemPaths();
  await shieldMachine();
  for (const [path, value] of Object.entries(networkSettings))
    if (existsSync(path)) await writeFile(path, value);
  try {
    accessSync('/dev/kmsg', constants.R_OK);
  } catch {
    throw new Error('a node needs the device /dev/kmsg');
  }
  await chooseIptables();
}
