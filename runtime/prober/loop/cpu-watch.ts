import type { Clock } from '../../shared/clock';
import type { Logger } from '../../shared/log';
import type { ProberMetrics } from '../metrics';
import { cpuRatioBetween } from '../policy/cpu-usage';
import { ewma } from '../policy/ewma';
import type { CpuSource } from '../ports';
import type { ProberSettings } from '../settings';
import type { CpuSample, CpuState } from '../types';

type CpuSettings = Pick<ProberSettings, 'cpuIntervalMs' | 'cpuHalfLifeMs' | 'readingMaxAgeMs'>;

/** Looks at the CPU of the own node now and then, and keeps its average. */
export class CpuWatch {
  #state: CpuState | undefined;
  #last: CpuSample | undefined;
  #problem: string | undefined;

  constructor(
    private readonly source: CpuSource,
    private readonly settings: CpuSettings,
    private readonly clock: Clock,
    private readonly log: Logger,
    private readonly metrics: ProberMetrics,
  ) {}

  /** Undefined until two looks have succeeded. */
  get state(): CpuState | undefined {
    return this.#state;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.once();
      await this.clock.sleep(this.settings.cpuIntervalMs, signal);
    }
  }

  /** One look. Never rejects: a failure leaves the reading to grow old. */
  async once(): Promise<void> {
    try {
      const sample = await this.source.read();
      const ratio = this.#last === undefined ? undefined : cpuRatioBetween(this.#last, sample);
      this.#last = sample;
      if (ratio !== undefined) {
        const { cpuHalfLifeMs, readingMaxAgeMs } = this.settings;
        const nowMs = this.clock.nowMs();
        const before = this.#state?.usage;
        // What was unknown meanwhile does not come back as a part of the average.
        const known = before !== undefined && nowMs - before.atMs <= readingMaxAgeMs;
        const usage = ewma(known ? before : undefined, ratio, nowMs, cpuHalfLifeMs);
        this.#state = { usage, cores: sample.cores, source: this.source.kind };
      }
      if (this.#problem !== undefined) this.log.info('can read the CPU of this node again');
      this.#problem = undefined;
    } catch (error) {
      this.metrics.failures.inc({ what: 'cpu' });
      const problem = error instanceof Error ? error.message : String(error);
      if (problem !== this.#problem)
        this.log.warn({ err: error }, 'cannot read the CPU of this node');
      this.#problem = problem;
    }
  }
}
