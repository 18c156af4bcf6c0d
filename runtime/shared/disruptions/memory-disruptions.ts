import type { Clock } from '../clock';
import { kept, type Disruptions, type Eviction } from './types';

/** The record in memory; for tests. */
export class MemoryDisruptions implements Disruptions {
  recorded: readonly Eviction[] = [];

  constructor(private readonly clock: Pick<Clock, 'nowMs'>) {}

  async read(): Promise<readonly Eviction[]> {
    return this.recorded;
  }

  async change(
    update: (now: readonly Eviction[]) => readonly Eviction[],
  ): Promise<readonly Eviction[]> {
    const updated = update(this.recorded);
    if (updated !== this.recorded) this.recorded = kept(updated, this.clock.nowMs());
    return this.recorded;
  }
}
