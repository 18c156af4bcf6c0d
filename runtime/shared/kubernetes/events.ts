import { randomBytes } from 'node:crypto';
import type { Clock } from '../clock';
import type { Logger } from '../log';
import type { KubeApi } from './api';

/** What an event is about. */
export interface EventSubject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** An event of `events.k8s.io/v1`. */
export interface EventRecord {
  readonly regarding: EventSubject;
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly action: string;
  readonly note: string;
}

/** How events are written. */
export interface EventOptions {
  readonly controller: string;
  readonly instance: string;
  readonly perSecond: number;
  /** May events be written now? Asked before each. */
  allowed(): boolean;
  /** Counts what was not written. */
  dropped(why: 'overflow' | 'refused'): void;
}

interface Series {
  readonly path: string;
  readonly name: string;
  readonly record: EventRecord;
  count: number;
  written: number;
  lastMs: number;
  writtenMs: number;
}

const MAX_NOTE_BYTES = 1024;
const MAX_QUEUE = 20_000;
const IN_FLIGHT = 4;
/** What may be written at once after a pause: those of so many seconds. Each costs the server as much as a binding. */
const BURST_SECONDS = 2;
const SERIES_LIFE_MS = 6 * 60_000;
const SERIES_WRITE_EVERY_MS = 30_000;

/**
 * Writes events beside the hot path: at a limited rate, a few at a time, the oldest dropped when too many wait. An
 * event that repeats becomes a series whose count is brought up to date at most every 30 s.
 */
export class EventWriter {
  readonly #queue: Series[] = [];
  readonly #series = new Map<string, Series>();
  #tokens: number;
  #refilledMs: number;
  #inFlight = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly api: KubeApi,
    private readonly options: EventOptions,
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {
    this.#tokens = options.perSecond * BURST_SECONDS;
    this.#refilledMs = clock.monotonicMs();
  }

  /** Events that wait to be written. */
  get waiting(): number {
    return this.#queue.length + this.#inFlight;
  }

  record(record: EventRecord): void {
    const nowMs = this.clock.nowMs();
    const { regarding, reason, note } = record;
    const key = `${regarding.uid}/${reason}/${note}`;
    const known = this.#series.get(key);
    if (known !== undefined && nowMs - known.lastMs < SERIES_LIFE_MS) {
      known.count += 1;
      known.lastMs = nowMs;
      const due = known.count === 2 || nowMs - known.writtenMs >= SERIES_WRITE_EVERY_MS;
      if (known.written > 0 && due) this.#push(known);
      return;
    }
    const name = `${regarding.name.slice(0, 230)}.${randomBytes(8).toString('hex')}`;
    const path = `/apis/events.k8s.io/v1/namespaces/${regarding.namespace}/events`;
    const series = { path, name, record, count: 1, written: 0, lastMs: nowMs, writtenMs: 0 };
    this.#series.set(key, series);
    if (this.#series.size > MAX_QUEUE) this.#forgetOldSeries(nowMs);
    this.#push(series);
  }

  /** Writes what waits, for at most limitMs. */
  async flush(limitMs: number): Promise<void> {
    const untilMs = this.clock.monotonicMs() + limitMs;
    while (this.waiting > 0 && this.clock.monotonicMs() < untilMs) {
      this.#pump();
      await this.clock.sleep(20);
    }
    clearTimeout(this.#timer);
  }

  #push(series: Series): void {
    this.#queue.push(series);
    if (this.#queue.length > MAX_QUEUE) {
      this.#queue.shift();
      this.options.dropped('overflow');
    }
    this.#pump();
  }

  #pump(): void {
    const nowMs = this.clock.monotonicMs();
    const { perSecond } = this.options;
    this.#tokens = Math.min(
      perSecond * BURST_SECONDS,
      this.#tokens + ((nowMs - this.#refilledMs) * perSecond) / 1000,
    );
    this.#refilledMs = nowMs;
    while (this.#inFlight < IN_FLIGHT && this.#tokens >= 1 && this.#queue.length > 0) {
      if (!this.options.allowed()) {
        this.#queue.length = 0;
        return;
      }
      const next = this.#queue.shift();
      if (next === undefined) return;
      this.#tokens -= 1;
      this.#inFlight += 1;
      void this.#write(next).finally(() => {
        this.#inFlight -= 1;
        this.#pump();
      });
    }
    if (this.#queue.length > 0 && this.#tokens < 1 && this.#timer === undefined) {
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        this.#pump();
      }, 1000 / perSecond).unref();
    }
  }

  async #write(series: Series): Promise<void> {
    const first = series.written === 0;
    const lastObservedTime = microTime(series.lastMs);
    series.written = series.count;
    series.writtenMs = series.lastMs;
    try {
      if (first) {
        await this.api.request({ method: 'POST', path: series.path, body: this.#body(series) });
      } else {
        await this.api.request({
          method: 'PATCH',
          path: `${series.path}/${series.name}`,
          contentType: 'application/merge-patch+json',
          body: { series: { count: series.count, lastObservedTime } },
        });
      }
    } catch (error) {
      // An event is a message, not a fact that others build on: it is counted and let go.
      this.options.dropped('refused');
      this.log.debug({ err: error }, 'event not written');
    }
  }

  #body({ name, record, lastMs }: Series): unknown {
    const { regarding, type, reason, action, note } = record;
    return {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name, namespace: regarding.namespace },
      eventTime: microTime(lastMs),
      reportingController: this.options.controller,
      reportingInstance: this.options.instance,
      action,
      reason,
      regarding,
      note: shorten(note),
      type,
    };
  }

  #forgetOldSeries(nowMs: number): void {
    for (const [key, series] of this.#series) {
      if (nowMs - series.lastMs >= SERIES_LIFE_MS || this.#series.size > MAX_QUEUE) {
        this.#series.delete(key);
      } else break;
    }
  }
}

const microTime = (ms: number): string => new Date(ms).toISOString().replace('Z', '000Z');

function shorten(note: string): string {
  if (Buffer.byteLength(note) <= MAX_NOTE_BYTES) return note;
  return `${Buffer.from(note)
    .subarray(0, MAX_NOTE_BYTES - 4)
    .toString('utf8')
    .replace(/\uFFFD$/, '')} ...`;
}
