import type { Ewma } from './policy/ewma';

/** Processor time of a node, counted from some start that does not change. */
export interface CpuSample {
  /** Processor time used, all processors together. */
  readonly busyMs: number;
  /** Processor time that there was. */
  readonly capacityMs: number;
  /** Processors that the node has, or is limited to; may be a fraction. */
  readonly cores: number;
}

/** Where the CPU was read: the node's control group against its limit, or the machine's /proc/stat. */
export type CpuSourceKind = 'cgroup' | 'proc';

/** An answer to a probe. */
export interface EchoAnswer {
  /** Name of the node that answered. */
  readonly node: string;
  /** From the question sent to the answer begun, over a connection that was open before. */
  readonly roundTripMs: number;
}

/** What is known of a peer, by its address. */
export interface PeerState {
  /** Name of its node, once it answered. */
  readonly node: string | undefined;
  readonly latency: Ewma | undefined;
  /** Why the last probe failed; undefined when it did not. */
  readonly failure: string | undefined;
}

/** What is known of the node itself. */
export interface CpuState {
  readonly usage: Ewma;
  readonly cores: number;
  readonly source: CpuSourceKind;
}
