import type { ProberScores } from '../../shared/prober-scores';
import type { Notices, ProberDirectory, ScoreSource, Traffic } from '../ports';
import type { AskedPod, BusiestNode } from '../types';

/** Traffic that is what it is set to; for tests. */
export class MemoryTraffic implements Traffic {
  node: BusiestNode | undefined;
  /** Thrown instead of an answer while it is set. */
  failure: Error | undefined;

  async busiest(): Promise<BusiestNode | undefined> {
    if (this.failure !== undefined) throw this.failure;
    return this.node;
  }
}

/** Probers that answer what they are set to, and are silent otherwise; for tests. The address is the node's name. */
export class MemoryProbers implements ProberDirectory, ScoreSource {
  readonly answers = new Map<string, ProberScores>();
  readonly probers = new Map<string, string>();
  readonly focuses: (string | undefined)[] = [];

  async scores(address: string, focus?: string): Promise<ProberScores> {
    this.focuses.push(focus);
    const answer = this.answers.get(address);
    if (answer === undefined) throw new Error('no answer within 2000 ms');
    return answer;
  }

  async close(): Promise<void> {
    this.answers.clear();
  }
}

/** Notices that are kept; for tests. */
export class MemoryNotices implements Notices {
  readonly unknown: string[] = [];

  readingsUnknown(pod: AskedPod): void {
    this.unknown.push(`${pod.namespace}/${pod.name}`);
  }
}
