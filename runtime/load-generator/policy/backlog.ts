/**
 * Which of the requests that are due are sent: at most `concurrency` are in flight; up to `maxWaiting` more wait, first
 * come first served; what comes then is dropped. So memory is bounded however slow the other side is.
 */
export class Backlog {
  private flying = 0;
  private droppedCount = 0;
  private readonly queue: number[] = [];

  constructor(
    private readonly concurrency: number,
    private readonly maxWaiting: number,
  ) {}

  get inFlight(): number {
    return this.flying;
  }

  get waiting(): number {
    return this.queue.length;
  }

  get dropped(): number {
    return this.droppedCount;
  }

  /** A request is due: whether it is to be sent now, waits, or was dropped. */
  due(index: number): 'send' | 'wait' | 'drop' {
    if (this.flying < this.concurrency) {
      this.flying += 1;
      return 'send';
    }
    if (this.queue.length < this.maxWaiting) {
      this.queue.push(index);
      return 'wait';
    }
    this.droppedCount += 1;
    return 'drop';
  }

  /** One in flight has ended: the one to send instead, if any waits. */
  ended(): number | undefined {
    const next = this.queue.shift();
    if (next === undefined) this.flying -= 1;
    return next;
  }

  /** Forgets what waits, and says how many those were. */
  clear(): number {
    return this.queue.splice(0).length;
  }
}
