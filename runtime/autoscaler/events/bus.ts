import Emittery from 'emittery';
import pRetry from 'p-retry';
import type { Clock } from '../../shared/clock';
import type { Events } from '../ports';
import type { BusHealth, EventData, EventHandler, EventName } from './types';

/** How the bus goes about it. */
export interface BusOptions {
  /** Tries after the first one. */
  readonly retries: number;
  /** Wait before the first of them; doubles with each. */
  readonly retryMinMs: number;
  /** How long a publisher waits for the handlers; these go on. */
  readonly publishLimitMs: number;
  /** How long getting ready may take. */
  readonly startLimitMs: number;
  /** Events at once that wait for handlers; further ones are refused. */
  readonly capacity: number;
  /** It is degraded for this long after a handler has failed in the end. */
  readonly degradedMs: number;
}

export const BUS_DEFAULTS: BusOptions = {
  retries: 5,
  retryMinMs: 200,
  publishLimitMs: 5000,
  startLimitMs: 10_000,
  capacity: 1000,
  degradedMs: 60_000,
};

/**
 * Carries events from what sees something to what does something about it. Each handler is retried by itself, with
 * exponential backoff; one that fails in the end keeps nobody else's events. Nothing here ends the service: without
 * the bus the loop still looks at the cluster every check_interval.
 */
export class EventBus implements Events {
  readonly #emitter = new Emittery<EventData>();
  readonly #stop = new AbortController();
  #started = false;
  #inFlight = 0;
  #published = 0;
  #failed = 0;
  #lastFailure: { readonly why: string; readonly atMs: number } | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly options: BusOptions = BUS_DEFAULTS,
    private readonly onFailure: (why: string, error: unknown) => void = () => undefined,
  ) {}

  /** Gets ready, within its time limit; events are refused before. @throws Error when it takes too long */
  async start(prepare: () => Promise<void> = async () => undefined): Promise<void> {
    await this.#within(prepare(), this.options.startLimitMs, 'the event bus did not start');
    this.#started = true;
  }

  /** @returns what ends the subscription. */
  on<N extends EventName>(name: N, handler: EventHandler<N>): () => void {
    return this.#emitter.on(name, async (data) => {
      try {
        await pRetry(() => handler(data), {
          retries: this.options.retries,
          minTimeout: this.options.retryMinMs,
          factor: 2,
          signal: this.#stop.signal,
        });
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        this.#failed += 1;
        const why = `${name}: ${error instanceof Error ? error.message : String(error)}`;
        this.#lastFailure = { why, atMs: this.clock.nowMs() };
        this.onFailure(why, error);
      }
    });
  }

  /**
   * Hands an event to its handlers and waits until they have ended, but not for longer than the limit: then they go
   * on alone. @throws Error when it is not started, full, or the limit is over
   */
  async publish<N extends EventName>(name: N, data: EventData[N]): Promise<void> {
    if (!this.#started) throw new Error(`${name}: the event bus has not started`);
    if (this.#inFlight >= this.options.capacity)
      throw new Error(`${name}: ${this.#inFlight} events wait already`);
    this.#inFlight += 1;
    this.#published += 1;
    const handled = (this.#emitter.emit as (name: EventName, data: unknown) => Promise<void>)
      .call(this.#emitter, name, data)
      .finally(() => (this.#inFlight -= 1));
    await this.#within(handled, this.options.publishLimitMs, `${name}: handlers are still at it`);
  }

  /** As publish, for those that cannot wait; what goes wrong is told to onFailure. */
  send<N extends EventName>(name: N, data: EventData[N]): void {
    this.publish(name, data).catch((error: unknown) => {
      this.onFailure(error instanceof Error ? error.message : String(error), error);
    });
  }

  health(): BusHealth {
    const last = this.#lastFailure;
    const recent = last !== undefined && this.clock.nowMs() - last.atMs < this.options.degradedMs;
    const full = this.#inFlight >= this.options.capacity;
    return {
      state: !this.#started ? 'starting' : recent || full ? 'degraded' : 'healthy',
      inFlight: this.#inFlight,
      published: this.#published,
      failed: this.#failed,
      ...(last !== undefined && { lastFailure: last.why }),
    };
  }

  /** Takes no more events and gives up retries. */
  stop(): void {
    this.#started = false;
    this.#stop.abort();
    this.#emitter.clearListeners();
  }

  async #within(work: Promise<void>, limitMs: number, what: string): Promise<void> {
    const done = new AbortController();
    const late = this.clock.sleep(limitMs, done.signal).then(() => 'late' as const);
    try {
      if ((await Promise.race([work, late])) === 'late')
        throw new Error(`${what} after ${limitMs} ms`);
    } finally {
      done.abort();
    }
  }
}
