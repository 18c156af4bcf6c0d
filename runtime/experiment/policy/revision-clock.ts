import type { TimeBounds } from '../../experiment-report/types';

interface Reading {
  readonly revision: number;
  /** When the first answer with this revision had come. */
  readonly firstReceivedMs: number;
  /** When the last question was sent that was answered with this revision. */
  lastSentMs: number;
}

/**
 * Tells when a change was stored, of which only its revision is known. The cluster's store numbers all its changes in
 * one order. Who asks again and again which number it has come to knows of each change that it came after the last
 * question whose answer is smaller was sent, and before the first answer came that is not. However late this process
 * or the API server is, that stays true: the bounds are then only further apart.
 */
export class RevisionClock {
  #readings: Reading[] = [];

  /** A question that was answered with the newest revision. They must be asked one after the other. */
  add(revision: number, sentMs: number, receivedMs: number): void {
    const last = this.#readings.at(-1);
    if (last?.revision === revision) last.lastSentMs = sentMs;
    else {
      // A store that was put back to an older state counts anew.
      if (last !== undefined && revision < last.revision) this.#readings = [];
      this.#readings.push({ revision, firstReceivedMs: receivedMs, lastSentMs: sentMs });
    }
  }

  /** When a change was stored; null when it came before the first question, or after the last. */
  boundsOf(revision: number): TimeBounds | null {
    let [low, high] = [0, this.#readings.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#readings[middle]?.revision ?? 0) < revision) low = middle + 1;
      else high = middle;
    }
    const [before, after] = [this.#readings[low - 1], this.#readings[low]];
    if (before === undefined || after === undefined) return null;
    return { notBeforeMs: before.lastSentMs, notAfterMs: after.firstReceivedMs };
  }
}
