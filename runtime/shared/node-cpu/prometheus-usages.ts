import type { Clock } from '../clock';
import { PrometheusError, type PrometheusClient, type PrometheusSample } from '../prometheus';
import type { CpuMetrics } from './types';
import { queryOf, snapshotOf, type UsageQuery } from './usage-query';

/** A reader gets the answer to another's question if that is no older. */
const SHARED_MS = 1000;

interface Answer {
  readonly askedMs: number;
  readonly askedMonotonicMs: number;
  readonly samples: Promise<readonly PrometheusSample[]>;
  /** Who has had it: nobody gets one twice. */
  readonly hadBy: Set<string>;
}

/**
 * Reads several uses of the nodes, such as CPU and memory, with one query for all where they are asked for at about the
 * same time. Where Prometheus refuses that query each is asked for alone: one that is wrong takes no other with it.
 */
export class PrometheusUsages<Name extends string> {
  readonly #whole: string;
  #answer: Answer | undefined;

  constructor(
    private readonly client: Pick<PrometheusClient, 'query'>,
    private readonly clock: Clock,
    private readonly queries: Readonly<Record<Name, UsageQuery>>,
  ) {
    this.#whole = this.#names.map((name) => queryOf(queries[name], prefixOf(name))).join(' or ');
  }

  /** Reads one of them. */
  of(name: Name): CpuMetrics {
    return {
      read: async (nodes) => {
        const { askedMs, samples } = this.#ask(name);
        try {
          return snapshotOf(await samples, askedMs, nodes, prefixOf(name));
        } catch (error) {
          if (!(error instanceof PrometheusError && error.kind === 'query')) throw error;
          const againMs = this.clock.nowMs();
          const alone = await this.client.query(queryOf(this.queries[name], prefixOf(name)));
          return snapshotOf(alone, againMs, nodes, prefixOf(name));
        }
      },
    };
  }

  get #names(): Name[] {
    return Object.keys(this.queries) as Name[];
  }

  #ask(name: Name): Answer {
    const nowMs = this.clock.monotonicMs();
    let answer = this.#answer;
    if (
      answer === undefined ||
      answer.hadBy.has(name) ||
      nowMs - answer.askedMonotonicMs > SHARED_MS
    )
      answer = this.#answer = {
        askedMs: this.clock.nowMs(),
        askedMonotonicMs: nowMs,
        samples: this.client.query(this.#whole),
        hadBy: new Set(),
      };
    answer.hadBy.add(name);
    return answer;
  }
}

const prefixOf = (name: string): string => `${name}-`;
