/** Why a request is not taken. */
export type Refusal = 'stopping' | 'concurrency' | 'memory';

/** How much may go on at once. */
export interface AdmissionLimits {
  /** Requests. */
  readonly maxInFlight: number;
  /** Memory that they hold together. */
  readonly maxTotalBloatMb: number;
}

/** Counts what goes on, and takes a request only where all of it stays within the limits. */
export class Admission {
  private requests = 0;
  private heldMb = 0;
  private stopped = false;
  private readonly whenEmpty: (() => void)[] = [];

  constructor(private readonly limits: AdmissionLimits) {}

  get inFlight(): number {
    return this.requests;
  }

  get bloatMb(): number {
    return this.heldMb;
  }

  get stopping(): boolean {
    return this.stopped;
  }

  /** Takes a request that will hold so much memory: how to give both back (once; again does nothing), or why not. */
  enter(bloatMb: number): (() => void) | Refusal {
    if (this.stopped) return 'stopping';
    if (this.requests >= this.limits.maxInFlight) return 'concurrency';
    if (this.heldMb + bloatMb > this.limits.maxTotalBloatMb) return 'memory';
    this.requests += 1;
    this.heldMb += bloatMb;
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.requests -= 1;
      this.heldMb -= bloatMb;
      if (this.requests === 0) for (const resolve of this.whenEmpty.splice(0)) resolve();
    };
  }

  /** Takes nothing more. Resolves when what was taken has ended. */
  stop(): Promise<void> {
    this.stopped = true;
    if (this.requests === 0) return Promise.resolve();
    return new Promise((resolve) => this.whenEmpty.push(resolve));
  }
}
