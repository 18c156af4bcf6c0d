import { z } from 'zod';
import type { Clock } from '../../shared/clock';
import type { Logger } from '../../shared/log';
import type { CpuReading } from '../../shared/node-cpu/types';
import type { ControllerSource, ControllerWord } from '../ports';
import type { ControllerVerdict } from '../types';
import type { ReadingSource } from './shared-cpu';

/** One answer may be lost. */
const READINGS_LAST_LOOKS = 2.5;

const lastSchema = z.object({
  takenAtMs: z.number(),
  leader: z.boolean().optional(),
  readings: z.record(z.string(), z.object({ cpuRatio: z.number(), ageMs: z.number() })).optional(),
  nodes: z.array(
    z.object({ node: z.string(), available: z.boolean(), why: z.string().optional() }),
  ),
});

/** What the client asks by. */
export interface ControllerClientOptions {
  /** Base URL of the controller. */
  readonly url: string;
  readonly pollMs: number;
  readonly timeoutMs: number;
}

/**
 * Asks the node-controller for its last count, again and again. The age of what it says is reckoned from when this
 * first saw that count, so the clocks of the two machines may differ.
 */
export class ControllerClient implements ControllerSource, ReadingSource {
  #readings: ReadonlyMap<string, CpuReading> | undefined;
  #readAtMs = -Infinity;
  #nodes: ReadonlyMap<string, ControllerVerdict> | undefined;
  #takenAtMs = -Infinity;
  #seenAtMs = 0;
  #problem: string | undefined = 'the node-controller was not asked yet';

  constructor(
    private readonly options: ControllerClientOptions,
    private readonly clock: Clock,
    private readonly log: Logger,
    private readonly changed: () => void = () => undefined,
  ) {}

  get problem(): string | undefined {
    return this.#problem;
  }

  last(): ControllerWord | undefined {
    if (this.#nodes === undefined) return undefined;
    return { ageMs: this.clock.monotonicMs() - this.#seenAtMs, nodes: this.#nodes };
  }

  /** What it last read of the nodes; undefined where it could not, or has not answered for two looks. */
  readings(): ReadonlyMap<string, CpuReading> | undefined {
    const silentMs = this.clock.monotonicMs() - this.#readAtMs;
    return silentMs <= READINGS_LAST_LOOKS * this.options.pollMs ? this.#readings : undefined;
  }

  /** Asks until the signal aborts; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.once();
      await this.clock.sleep(this.options.pollMs, signal);
    }
  }

  /** Asks once; never rejects. */
  async once(): Promise<void> {
    let problem: string | undefined;
    try {
      await this.#ask();
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      problem = `no answer from the node-controller at ${this.options.url}: ${cause instanceof Error ? cause.message : String(cause)}`;
    }
    if ((problem === undefined) !== (this.#problem === undefined)) {
      if (problem === undefined) this.log.info('the node-controller answers');
      else this.log.warn({ problem }, 'the node-controller does not answer');
    }
    this.#problem = problem;
    this.changed();
  }

  async #ask(): Promise<void> {
    const signal = AbortSignal.timeout(this.options.timeoutMs);
    const response = await fetch(`${this.options.url.replace(/\/+$/, '')}/last`, { signal });
    const text = await response.text();
    if (!response.ok) throw new Error(`HTTP ${response.status}: ${text.slice(0, 200)}`);
    const { takenAtMs, nodes, leader, readings } = lastSchema.parse(JSON.parse(text));
    this.#read(readings);
    if (takenAtMs === this.#takenAtMs) return;
    // A replica that stands by may know an older count than the leader.
    if (leader === false && takenAtMs < this.#takenAtMs) return;
    this.#takenAtMs = takenAtMs;
    this.#seenAtMs = this.clock.monotonicMs();
    this.#nodes = new Map(
      nodes.map(({ node, available, why }) => [
        node,
        { available, ...(why !== undefined && { why }) },
      ]),
    );
  }

  /** Replicas take turns in answering: of two readings of a node the newer counts. */
  #read(said: Readonly<Record<string, { cpuRatio: number; ageMs: number }>> | undefined): void {
    this.#readAtMs = this.clock.monotonicMs();
    const before = this.#readings;
    this.#readings =
      said &&
      new Map(
        Object.entries(said).map(([node, { cpuRatio, ageMs }]) => {
          const known = before?.get(node);
          const reading = { cpuRatio, takenAtMs: this.clock.nowMs() - ageMs };
          return [
            node,
            known !== undefined && known.takenAtMs > reading.takenAtMs ? known : reading,
          ];
        }),
      );
  }
}
