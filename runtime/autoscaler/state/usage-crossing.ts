import { isUsageHigh, usagesOf } from '../policy/usage';
import type { ScalingSettings } from '../settings';
import type { WorkerView } from '../types';

/** Where the readings are seen, and who is told. */
export interface UsageCrossingOptions {
  readonly settings: ScalingSettings;
  /** All nodes, with the readings that were just taken. */
  nodes(): Iterable<WorkerView>;
  nowMs(): number;
  /** CPU and memory have both come to their thresholds. */
  onHigh(): void;
}

/** Tells when CPU and memory of the workers that are Ready come to be high, once until they are not any more. */
export class UsageCrossing {
  #high = false;

  constructor(private readonly options: UsageCrossingOptions) {}

  /** Readings of CPU or memory were taken. */
  read(): void {
    const { settings } = this.options;
    const ready = [...this.options.nodes()].filter(({ worker, info }) => worker && info.ready);
    const was = this.#high;
    this.#high =
      ready.length > 0 && isUsageHigh(usagesOf(ready, settings, this.options.nowMs()), settings);
    if (this.#high && !was) this.options.onHigh();
  }
}
