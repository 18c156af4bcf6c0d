import type { CpuSource, EchoClient, PeerList } from '../ports';
import type { CpuSample, EchoAnswer } from '../types';

/** Processors that are as busy as they are set to, while time is passed to them; for tests. */
export class MemoryCpu implements CpuSource {
  readonly kind = 'proc';
  #sample: CpuSample = { busyMs: 0, capacityMs: 0, cores: 2 };
  /** Thrown instead of an answer while it is set. */
  failure: Error | undefined;

  pass(ms: number, cpuRatio: number): void {
    const { busyMs, capacityMs, cores } = this.#sample;
    const passedMs = ms * cores;
    this.#sample = {
      busyMs: busyMs + passedMs * cpuRatio,
      capacityMs: capacityMs + passedMs,
      cores,
    };
  }

  async read(): Promise<CpuSample> {
    if (this.failure !== undefined) throw this.failure;
    return this.#sample;
  }
}

/** Peers that answer as they are set to; for tests. A peer without an answer is silent. */
export class MemoryPeers implements PeerList, EchoClient {
  readonly answers = new Map<string, EchoAnswer>();
  list: readonly string[] | undefined;
  readonly asked: string[] = [];

  async addresses(): Promise<readonly string[]> {
    if (this.list === undefined) throw new Error('no list');
    return this.list;
  }

  async probe(address: string): Promise<EchoAnswer> {
    this.asked.push(address);
    const answer = this.answers.get(address);
    if (answer === undefined) throw new Error('silent');
    return answer;
  }

  close(): void {
    this.answers.clear();
  }
}
