import { build, type Histogram } from 'hdr-histogram-js';
import type { Ended, LatencySummary, Outcome, Summary } from '../types';

const MICROSECONDS = 1000;
const HIGHEST_MS = 24 * 3600 * 1000;

/** Latencies in a histogram of fixed size, exact to 3 digits. */
class Latencies {
  private readonly histogram: Histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: HIGHEST_MS * MICROSECONDS,
    numberOfSignificantValueDigits: 3,
    bitBucketSize: 64,
    autoResize: false,
  });
  private sumMs = 0;
  private leastMs = Infinity;
  private mostMs = 0;

  record(ms: number): void {
    // A request may be sent a rounding error before it is due.
    const value = Math.min(HIGHEST_MS, Math.max(0, ms));
    this.histogram.recordValue(Math.round(value * MICROSECONDS));
    this.sumMs += value;
    this.leastMs = Math.min(this.leastMs, value);
    this.mostMs = Math.max(this.mostMs, value);
  }

  get meanMs(): number | null {
    const count = this.histogram.totalCount;
    return count === 0 ? null : this.sumMs / count;
  }

  summary(): LatencySummary {
    const count = this.histogram.totalCount;
    // The upper end of a bucket may lie above the greatest value there was.
    const at = (percentile: number): number | null =>
      count === 0
        ? null
        : Math.min(this.mostMs, this.histogram.getValueAtPercentile(percentile) / MICROSECONDS);
    return {
      count,
      meanMs: this.meanMs,
      minMs: count === 0 ? null : this.leastMs,
      p50Ms: at(50),
      p90Ms: at(90),
      p95Ms: at(95),
      p99Ms: at(99),
      p999Ms: at(99.9),
      maxMs: count === 0 ? null : this.mostMs,
    };
  }
}

/** Only a whole answer with a status from 200 to 299 is a success. */
export const isSuccess = (outcome: Outcome): boolean =>
  outcome.kind === 'answered' && outcome.status >= 200 && outcome.status <= 299;

/** What an outcome is called: `ok`, `status 503`, `timeout`, `connection ECONNREFUSED`, `cancelled`. */
export function nameOf(outcome: Outcome): string {
  if (isSuccess(outcome)) return 'ok';
  if (outcome.kind === 'answered') return `status ${outcome.status}`;
  return outcome.kind === 'connection' ? `connection ${outcome.code}` : outcome.kind;
}

/** Counts what became of the requests. Its size does not grow with their number. */
export class Statistics {
  private readonly latency = new Latencies();
  private readonly failedLatency = new Latencies();
  private readonly serviceTime = new Latencies();
  private readonly waited = new Latencies();
  private readonly failures = new Map<string, number>();
  private successful = 0;
  private failed = 0;
  private dropped = 0;
  private cancelled = 0;

  ended({ intendedMs, sentMs, endedMs, outcome }: Ended): void {
    if (outcome.kind === 'cancelled') {
      this.cancelled += 1;
      return;
    }
    this.waited.record(sentMs - intendedMs);
    if (isSuccess(outcome)) {
      this.successful += 1;
      this.latency.record(endedMs - intendedMs);
      this.serviceTime.record(endedMs - sentMs);
    } else {
      this.failed += 1;
      this.failedLatency.record(endedMs - intendedMs);
      const name = nameOf(outcome);
      this.failures.set(name, (this.failures.get(name) ?? 0) + 1);
    }
  }

  drop(count = 1): void {
    this.dropped += count;
  }

  cancel(count: number): void {
    this.cancelled += count;
  }

  /** Those that have ended or were dropped, for a line that is shown meanwhile. */
  live() {
    const ended = this.successful + this.failed + this.dropped;
    return {
      ended: this.successful + this.failed,
      dropped: this.dropped,
      successRatio: ended === 0 ? null : this.successful / ended,
      meanMs: this.latency.meanMs,
    };
  }

  summary(): Summary {
    const { successful, failed, dropped, cancelled } = this;
    return {
      total: successful + failed + dropped + cancelled,
      successful,
      failed,
      dropped,
      cancelled,
      successRatio: this.live().successRatio,
      failures: Object.fromEntries([...this.failures].sort(([a], [b]) => a.localeCompare(b))),
      latency: this.latency.summary(),
      failedLatency: this.failedLatency.summary(),
      serviceTime: this.serviceTime.summary(),
      waited: this.waited.summary(),
    };
  }
}
