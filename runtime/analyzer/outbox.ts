import type { Clock } from '../shared/clock';
import type { RowStore } from './ports';
import type { Row } from './types';

const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 30_000;
const BATCH = 500;

export interface OutboxOptions {
  readonly clock: Clock;
  /** Rows that may wait; further ones are refused and counted. */
  readonly capacity: number;
  /** Told of each failed attempt, and how many rows wait now. */
  onFailure(error: unknown, waiting: number): void;
}

/**
 * Rows on their way to a store that may be away: what cannot be stored now waits, in order, and is tried again with
 * the next row and after a pause that doubles from 0.5 s to 30 s.
 */
export class Outbox {
  private readonly waiting: Row[] = [];
  private readonly closing = new AbortController();
  private sending: Promise<void> | undefined;
  private retrying = false;
  private refusedRows = 0;

  constructor(
    private readonly store: RowStore,
    private readonly options: OutboxOptions,
  ) {}

  /** Rows that are not stored: those that wait and those that were refused. */
  get unsent(): number {
    return this.waiting.length + this.refusedRows;
  }

  /** Stores the row if that is possible now, with those that wait before it. Never rejects. */
  async add(row: Row): Promise<void> {
    if (this.waiting.length >= this.options.capacity) {
      this.refusedRows += 1;
      this.options.onFailure(new Error('too many rows wait'), this.waiting.length);
      return;
    }
    this.waiting.push(row);
    // An attempt that is under way may have begun without this row.
    await this.sending;
    if (!(await this.attempt())) void this.retry();
  }

  /** Tries on until all is stored or the time is over, then closes the store. Answers how many rows are unsent. */
  async close(limitMs: number): Promise<number> {
    const { clock } = this.options;
    const deadline = clock.monotonicMs() + limitMs;
    for (let pauseMs = FIRST_RETRY_MS; !(await this.attempt()); pauseMs *= 2) {
      const leftMs = deadline - clock.monotonicMs();
      if (leftMs <= 0) break;
      await clock.sleep(Math.min(pauseMs, leftMs));
    }
    this.closing.abort();
    await this.store.close().catch((error: unknown) => this.options.onFailure(error, this.unsent));
    return this.unsent;
  }

  /** One attempt at a time to store what waits; true when nothing waits any more. */
  private async attempt(): Promise<boolean> {
    this.sending ??= this.send().finally(() => {
      this.sending = undefined;
    });
    return this.sending.then(
      () => this.waiting.length === 0,
      (error: unknown) => {
        this.options.onFailure(error, this.waiting.length);
        return false;
      },
    );
  }

  private async send(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.waiting.slice(0, BATCH);
      await this.store.append(batch);
      this.waiting.splice(0, batch.length);
    }
  }

  private async retry(): Promise<void> {
    if (this.retrying) return;
    this.retrying = true;
    const { signal } = this.closing;
    for (let pauseMs = FIRST_RETRY_MS; ; pauseMs = Math.min(2 * pauseMs, MAX_RETRY_MS)) {
      await this.options.clock.sleep(pauseMs, signal);
      if (signal.aborted || (await this.attempt())) break;
    }
    this.retrying = false;
  }
}
