import type { Ended, Outcome, Summary } from './types';

/** Where requests go. */
export interface Target {
  /** Sends one request and reads its whole answer. Never rejects. */
  send(cancel: AbortSignal): Promise<Outcome>;
  close(): Promise<void>;
}

/** Where the results go. */
export interface Output {
  /** The first request is due now. @param atMs milliseconds since 1970 */
  started(atMs: number): void;
  ended(request: Ended): void;
  /** @throws when a file could not be written. */
  finish(summary: Summary, interrupted: boolean): Promise<void>;
}
