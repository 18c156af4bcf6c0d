import type { ProberScores } from '../shared/prober-scores';
import type { AskedPod, BusiestNode } from './types';

/** Where traffic comes in. */
export interface Traffic {
  /** The busiest node; undefined when no node has any. @throws when it cannot be asked. */
  busiest(): Promise<BusiestNode | undefined>;
}

/** Which prober is on which node. */
export interface ProberDirectory {
  /** Address `host:port` by name of the node. */
  readonly probers: ReadonlyMap<string, string>;
}

/** Asks probers. */
export interface ScoreSource {
  /** @param focus address of a prober that this one shall measure to. @throws without a valid answer in time. */
  scores(address: string, focus?: string): Promise<ProberScores>;
  close(): Promise<void>;
}

/** A pod of this scheduler that is on a node. */
export interface BoundPod extends AskedPod {
  readonly node: string;
  /** When it was bound; undefined where the API server does not say. */
  readonly boundAtMs: number | undefined;
}

/** Told of the pods of this scheduler. */
export interface PodSink {
  bound(pod: BoundPod): void;
  gone(uid: string): void;
}

/** Says what users should know. */
export interface Notices {
  /** The pod is placed without any reading. */
  readingsUnknown(pod: AskedPod, nodes: number): void;
}
