import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { CpuSource } from '../ports';
import type { CpuSample } from '../types';

/** Milliseconds of one tick of /proc/stat: the kernel shows 100 ticks a second, whatever it counts by itself. */
const TICK_MS = 10;

/**
 * Reads the whole machine's processors. /proc/stat is not of a container: it says the same inside of it.
 * Waiting for disks counts as idle; time that a hypervisor took away as used, for it is not to be had.
 */
export class ProcCpu implements CpuSource {
  readonly kind = 'proc';

  constructor(private readonly procRoot: string) {}

  async read(): Promise<CpuSample> {
    const file = path.join(this.procRoot, 'stat');
    return parseProcStat(await readFile(file, 'utf8'), file);
  }
}

/** @throws Error naming the file when it is not what Linux writes. */
export function parseProcStat(text: string, file: string): CpuSample {
  const [total] = /^cpu\s.*$/m.exec(text) ?? [];
  const ticks = total?.trim().split(/\s+/).slice(1, 9).map(Number) ?? [];
  const [user, nice, system, idle, ioWait, irq, softIrq, steal = 0] = ticks;
  const cores = text.match(/^cpu\d+\s/gm)?.length ?? 0;
  if (
    user === undefined ||
    nice === undefined ||
    system === undefined ||
    idle === undefined ||
    ioWait === undefined ||
    irq === undefined ||
    softIrq === undefined ||
    cores === 0 ||
    ticks.some(Number.isNaN)
  )
    throw new Error(`${file}: has no line of all processors`);
  const busy = user + nice + system + irq + softIrq + steal;
  return { busyMs: busy * TICK_MS, capacityMs: (busy + idle + ioWait) * TICK_MS, cores };
}
