import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '../../shared/clock';
import type { CpuSource } from '../ports';
import type { CpuSample } from '../types';

/** Where a control group says what it used and what it may use. */
interface CgroupFiles {
  /** @throws when a file cannot be read or is not what the kernel writes. */
  usedMs(): Promise<number>;
  /** Processors it is limited to; undefined without a limit. */
  limitCores(): Promise<number | undefined>;
}

/**
 * Reads what the node's control group used against its CPU limit: for nodes that are containers themselves, where
 * /proc/stat tells of the machine that all of them share.
 */
export class CgroupCpu implements CpuSource {
  readonly kind = 'cgroup';
  readonly #files: CgroupFiles;

  /** @param root where /sys/fs/cgroup of the node is mounted. @param group path of the group below it. */
  constructor(
    root: string,
    private readonly group: string,
    private readonly clock: Clock,
  ) {
    this.#files = existsSync(path.join(root, 'cgroup.controllers'))
      ? version2(path.join(root, group))
      : version1(root, group);
  }

  /** Whether the group is there and has a CPU limit. */
  async limited(): Promise<boolean> {
    try {
      await this.#files.usedMs();
      return (await this.#files.limitCores()) !== undefined;
    } catch {
      return false;
    }
  }

  async read(): Promise<CpuSample> {
    const busyMs = await this.#files.usedMs();
    const nowMs = this.clock.monotonicMs();
    const cores = await this.#files.limitCores();
    if (cores === undefined)
      throw new Error(
        `control group ${this.group} has no CPU limit to measure against: give the node one, or set CPU_SOURCE=proc`,
      );
    return { busyMs, capacityMs: nowMs * cores, cores };
  }
}

/** The node's group from the text of /proc/self/cgroup: what is before the kubelet's part of the prober's own. */
export function nodeCgroupOf(text: string): string {
  const lines = text
    .trim()
    .split('\n')
    .map((line) => line.split(':'));
  // Version 1 has a line for each controller; version 2 one line without.
  const line =
    lines.find(([, controllers = '']) => controllers.split(',').includes('cpu')) ??
    lines.find(([hierarchy]) => hierarchy === '0');
  const own = line?.slice(2).join(':') ?? '/';
  const [before = ''] = own.split(/\/kubepods[^/]*(?:\/|$)/, 1);
  // Without a kubelet's part, as in a namespace of its own, what is mounted is the node's itself.
  return before === own || before === '' ? '/' : before;
}

function version2(folder: string): CgroupFiles {
  return {
    usedMs: async () => {
      const text = await readFile(path.join(folder, 'cpu.stat'), 'utf8');
      return numberIn(/^usage_usec (\d+)$/m.exec(text)?.[1], `${folder}/cpu.stat`) / 1000;
    },
    limitCores: async () => {
      const file = path.join(folder, 'cpu.max');
      // The machine's own root group has no such file, and no limit.
      if (!existsSync(file)) return undefined;
      const [quota, period] = (await readFile(file, 'utf8')).trim().split(' ');
      return quota === 'max' ? undefined : numberIn(quota, file) / numberIn(period, file);
    },
  };
}

function version1(root: string, group: string): CgroupFiles {
  const folder = (controllers: readonly string[]): string => {
    const names = controllers.find((name) => existsSync(path.join(root, name)));
    return path.join(root, names ?? controllers[0] ?? '', group);
  };
  const usage = path.join(folder(['cpuacct', 'cpu,cpuacct', 'cpuacct,cpu']), 'cpuacct.usage');
  const limits = folder(['cpu', 'cpu,cpuacct', 'cpuacct,cpu']);
  return {
    usedMs: async () => numberIn((await readFile(usage, 'utf8')).trim(), usage) / 1e6,
    limitCores: async () => {
      const read = async (name: string): Promise<number> =>
        numberIn((await readFile(path.join(limits, name), 'utf8')).trim(), name);
      const quotaUs = await read('cpu.cfs_quota_us');
      return quotaUs <= 0 ? undefined : quotaUs / (await read('cpu.cfs_period_us'));
    },
  };
}

function numberIn(text: string | undefined, file: string): number {
  const value = Number(text);
  if (text === undefined || text === '' || !Number.isFinite(value))
    throw new Error(`${file}: holds no number`);
  return value;
}
