/** How far the pod's node is from others, as its prober has it. */
export type Latency =
  | {
      readonly state: 'known';
      /** Median of the round trips to the other nodes. */
      readonly medianMs: number;
      /** Round trip to each of the other nodes that the prober measures to. */
      readonly toNodesMs: Readonly<Record<string, number>>;
    }
  | { readonly state: 'unknown'; readonly why: string };

/** What hellopod answers. */
export interface Greeting {
  readonly message: 'hello';
  readonly pod: string;
  readonly node: string;
  readonly latency: Latency;
  /** Requests answered before this one. */
  readonly served: number;
}
