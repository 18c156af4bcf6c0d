import type { HeldMemory } from './memory';

/** What one request asks for; undefined: not asked. */
export interface Work {
  readonly sleepMs?: number;
  /** The largest prime below this is looked for. */
  readonly primeBelow?: number;
  /** Memory to hold until the answer, 1 Mb = 2^20 bytes. */
  readonly bloatMb?: number;
}

/** The greatest value that each parameter may have. */
export interface WorkLimits {
  readonly maxSleepMs: number;
  readonly maxPrime: number;
  readonly maxBloatMb: number;
}

/** What was done. */
export interface WorkDone {
  readonly allocatedMb?: number;
  readonly prime?: { readonly below: number; readonly found: number };
  readonly sleptMs?: number;
}

/** A part of the work that a thread does. */
export interface ThreadTask {
  readonly id: number;
  readonly primeBelow?: number;
  readonly bloatBytes?: number;
}

/** What a thread gives back. */
export interface ThreadResult {
  readonly id: number;
  readonly prime?: number;
  /** Every page of it was written to. */
  readonly memory?: HeldMemory;
}
