import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '../../shared/clock';
import type { CpuSource } from '../ports';
import type { ProberSettings } from '../settings';
import { CgroupCpu, nodeCgroupOf } from './cgroup-cpu';
import { ProcCpu } from './proc-cpu';

/** The source that the settings name; of `auto` the control group, where it has a limit. */
export async function cpuSourceOf(
  settings: Pick<ProberSettings, 'cpuSource' | 'cgroupRoot' | 'cgroupPath' | 'procRoot'>,
  clock: Clock,
): Promise<CpuSource> {
  if (settings.cpuSource === 'proc') return new ProcCpu(settings.procRoot);
  const group =
    settings.cgroupPath === 'auto'
      ? nodeCgroupOf(await readFile(path.join(settings.procRoot, 'self/cgroup'), 'utf8'))
      : settings.cgroupPath;
  const cgroup = new CgroupCpu(settings.cgroupRoot, group, clock);
  if (settings.cpuSource === 'cgroup' || (await cgroup.limited())) return cgroup;
  return new ProcCpu(settings.procRoot);
}
