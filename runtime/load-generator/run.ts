import { setMaxListeners } from 'node:events';
import type { Clock } from '../shared/clock';
import { Backlog } from './policy/backlog';
import { scheduleOf } from './policy/schedule';
import { Statistics } from './policy/statistics';
import type { LiveFigures } from './policy/text';
import type { Output, Target } from './ports';
import type { LoadOptions, Summary } from './types';

/** Longest time that timers may be set to at once. */
const LONGEST_SLEEP_MS = 1000;

/** One run of the load generator. */
export class LoadRun {
  private readonly statistics = new Statistics();
  private readonly backlog: Backlog;
  /** Called when nothing is in flight any more. */
  private landed: (() => void) | undefined;

  constructor(
    private readonly options: LoadOptions,
    private readonly target: Target,
    private readonly output: Pick<Output, 'started' | 'ended'>,
    private readonly clock: Clock,
  ) {
    this.backlog = new Backlog(options.concurrency, options.maxWaiting);
  }

  live(): LiveFigures {
    const { inFlight, waiting } = this.backlog;
    return { ...this.statistics.live(), inFlight, waiting };
  }

  /**
   * Sends what is due when it is due, whatever comes of it, and then waits for what is still in flight or waits. Ends
   * early when the signal aborts: what is then not answered is cancelled.
   */
  async run(stop: AbortSignal): Promise<Summary> {
    const schedule = scheduleOf(this.options.qps, this.options.durationSeconds);
    // As many listen to it as are in flight.
    setMaxListeners(0, stop);
    const startedMs = this.clock.monotonicMs();
    this.output.started(this.clock.nowMs());
    const elapsedMs = (): number => this.clock.monotonicMs() - startedMs;
    const send = async (index: number): Promise<void> => {
      let next: number | undefined = index;
      while (next !== undefined)
        next = await this.send(next, schedule.dueMs(next), elapsedMs, stop);
      if (this.backlog.inFlight === 0) this.landed?.();
    };
    let begun = 0;
    while (begun < schedule.count && !stop.aborted) {
      for (const due = schedule.dueBy(elapsedMs()); begun < due; begun += 1) {
        const verdict = this.backlog.due(begun);
        if (verdict === 'send') void send(begun);
        else if (verdict === 'drop') this.statistics.drop();
      }
      if (begun < schedule.count) {
        const waitMs = schedule.dueMs(begun) - elapsedMs();
        await this.clock.sleep(Math.max(0, Math.min(LONGEST_SLEEP_MS, waitMs)), stop);
      }
    }
    const forget = (): void => this.statistics.cancel(this.backlog.clear());
    if (stop.aborted) forget();
    else stop.addEventListener('abort', forget, { once: true });
    if (this.backlog.inFlight > 0)
      await new Promise<void>((resolve) => {
        this.landed = resolve;
      });
    stop.removeEventListener('abort', forget);
    return this.statistics.summary();
  }

  /** Sends one; gives the next one to send. */
  private async send(
    index: number,
    intendedMs: number,
    elapsedMs: () => number,
    stop: AbortSignal,
  ): Promise<number | undefined> {
    const sentMs = elapsedMs();
    const outcome = await this.target.send(stop);
    const ended = { index, intendedMs, sentMs, endedMs: elapsedMs(), outcome };
    this.statistics.ended(ended);
    this.output.ended(ended);
    // While it stops nothing is sent any more; what waits is counted where it is forgotten.
    if (!stop.aborted) return this.backlog.ended();
    this.statistics.cancel(this.backlog.clear());
    this.backlog.ended();
    return undefined;
  }
}
