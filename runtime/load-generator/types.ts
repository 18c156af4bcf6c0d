/** What the load generator does. */
export interface LoadOptions {
  readonly ip: string;
  readonly port: number;
  /** Requests due in a second. */
  readonly qps: number;
  /** Most requests in flight. */
  readonly concurrency: number;
  /** For how long requests become due. */
  readonly durationSeconds: number;
  /** Path with its query. */
  readonly path: string;
  /** Time limit of one request, from when it is sent. */
  readonly timeoutMs: number;
  /** Most requests that wait for one in flight to end. */
  readonly maxWaiting: number;
  /** Reuse connections: with a Kubernetes Service they then stay with the pods that were there at first. */
  readonly keepAlive: boolean;
  readonly csvFile?: string;
  readonly jsonFile?: string;
  readonly jsonlFile?: string;
}

/** How a request that was sent ended. */
export type Outcome =
  | { readonly kind: 'answered'; readonly status: number }
  /** No whole answer within the time limit. */
  | { readonly kind: 'timeout' }
  /** No connection, or one that broke before the whole answer was there. */
  | { readonly kind: 'connection'; readonly code: string }
  /** Given up because the run was stopped. */
  | { readonly kind: 'cancelled' };

/** A request that was sent and has ended. Times are milliseconds since the start of the run. */
export interface Ended {
  /** 0 for the first that was due. */
  readonly index: number;
  /** When it was due. */
  readonly intendedMs: number;
  readonly sentMs: number;
  readonly endedMs: number;
  readonly outcome: Outcome;
}

/** Percentiles of latencies, in milliseconds; null where nothing was measured. */
export interface LatencySummary {
  readonly count: number;
  readonly meanMs: number | null;
  readonly minMs: number | null;
  readonly p50Ms: number | null;
  readonly p90Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
  readonly p999Ms: number | null;
  readonly maxMs: number | null;
}

/** Everything that was counted. */
export interface Summary {
  /** Requests that were due. */
  readonly total: number;
  readonly successful: number;
  readonly failed: number;
  /** Due, but too many waited already: never sent. */
  readonly dropped: number;
  /** Given up because the run was stopped; in no rate. */
  readonly cancelled: number;
  /** successful / (successful + failed + dropped), 0..1; null before the first ended. */
  readonly successRatio: number | null;
  /** Failures by what they were: `status 503`, `timeout`, `connection ECONNREFUSED`. */
  readonly failures: Readonly<Record<string, number>>;
  /** From when a request was due to its whole answer; successful ones. */
  readonly latency: LatencySummary;
  /** The same of those that failed. */
  readonly failedLatency: LatencySummary;
  /** From when a request was sent to its whole answer; successful ones. Hides stalls: see latency. */
  readonly serviceTime: LatencySummary;
  /** From when a request was due to when it was sent; all that were sent. */
  readonly waited: LatencySummary;
}
