import { existsSync } from 'node:fs';
import type { LabContext } from '../context';
import { run } from '../exec';
import type { HostTools } from '../programs/host-packages';

interface Route {
  readonly dst: string;
  readonly dev?: string;
}

/** The namespace's own end of the pair. */
const INNER = 'eth0';

/**
 * The lab's network namespace, joined to the host by a pair of interfaces with a /30.
 * @throws Error where the addresses are in use on this machine
 */
export async function ensureNetwork(ctx: LabContext, tools: HostTools): Promise<void> {
  const ip = (...args: string[]) => run('ip', args, { env: tools.env });
  if (!existsSync(`/run/netns/${ctx.netns}`)) await ip('netns', 'add', ctx.netns);
  const inside = (...args: string[]) => ip('-n', ctx.netns, ...args);
  await inside('link', 'set', 'lo', 'up');
  if (!existsSync(`/sys/class/net/${ctx.netns}`)) {
    await requireFreeSubnet(ctx, tools);
    const peer = ['peer', 'name', INNER, 'netns', ctx.netns];
    await ip('link', 'add', ctx.netns, 'type', 'veth', ...peer);
  }
  // `replace` and `up` can be repeated, so a start that was cut short is mended here.
  await ip('addr', 'replace', `${ctx.hostAddress}/30`, 'dev', ctx.netns);
  await ip('link', 'set', ctx.netns, 'up');
  await inside('addr', 'replace', `${ctx.address}/30`, 'dev', INNER);
  await inside('link', 'set', INNER, 'up');
  await inside('route', 'replace', 'default', 'via', ctx.hostAddress);
}

/** Removes the namespace and with it the pair; a process that still holds the namespace must be gone before. */
export async function removeNetwork(ctx: LabContext, tools: HostTools): Promise<void> {
  if (existsSync(`/sys/class/net/${ctx.netns}`)) {
    await run('ip', ['link', 'del', ctx.netns], { env: tools.env }).catch((error: unknown) => {
      // With its namespace, the kernel takes the pair away on its own, perhaps just now.
      if (existsSync(`/sys/class/net/${ctx.netns}`)) throw error;
    });
  }
  if (existsSync(`/run/netns/${ctx.netns}`)) {
    await run('ip', ['netns', 'del', ctx.netns], { env: tools.env });
  }
}

/** Processes inside the lab's namespace: only the lab starts any there. */
export async function processesInNetwork(ctx: LabContext, tools: HostTools): Promise<number[]> {
  if (!existsSync(`/run/netns/${ctx.netns}`)) return [];
  const { stdout } = await run('ip', ['netns', 'pids', ctx.netns], { env: tools.env });
  return stdout.split('\n').filter(Boolean).map(Number);
}

async function requireFreeSubnet(ctx: LabContext, tools: HostTools): Promise<void> {
  const { stdout } = await run('ip', ['-j', '-4', 'route', 'show', 'table', 'all'], {
    env: tools.env,
  });
  const wanted = ipNumber(ctx.hostAddress) & ~3;
  const taken = (JSON.parse(stdout || '[]') as Route[]).find((route) => {
    if (route.dst === 'default' || route.dev === ctx.netns) return false;
    const [address = '', bits = '32'] = route.dst.split('/');
    const size = Math.min(Number(bits), 30);
    return size > 0 && ipNumber(address) >>> (32 - size) === wanted >>> (32 - size);
  });
  if (taken !== undefined) {
    throw new Error(
      `the lab's addresses ${ctx.hostAddress}/30 are taken on this machine (route ${taken.dst} dev ${taken.dev ?? '?'}): set BERTH_INSTANCE to another name`,
    );
  }
}

function ipNumber(address: string): number {
  return address.split('.').reduce((value, part) => (value << 8) | Number(part), 0);
}
