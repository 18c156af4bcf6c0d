import type { Clock } from '../../shared/clock';
import type { Logger } from '../../shared/log';
import type { ProberMetrics } from '../metrics';
import { ewma, type Ewma } from '../policy/ewma';
import { withFocus, type Focuses } from '../policy/focus';
import { landmarksOf } from '../policy/landmarks';
import type { EchoClient, PeerList } from '../ports';
import type { ProberSettings } from '../settings';
import type { EchoAnswer, PeerState } from '../types';

type PeerSettings = Pick<
  ProberSettings,
  | 'nodeName'
  | 'peersIntervalMs'
  | 'probeIntervalMs'
  | 'probesPerRound'
  | 'landmarks'
  | 'landmarkCycleMs'
  | 'focusTtlMs'
  | 'latencyHalfLifeMs'
  | 'readingMaxAgeMs'
>;

/** Measures the way to some of the peers now and then: the landmarks of the cycle, and those that were asked for. */
export class PeerWatch {
  readonly #peers = new Map<string, PeerState>();
  #focuses: Focuses = new Map();
  #listedMs: number | undefined;
  #listProblem: string | undefined;

  /** @param ownAddress left out of the peers. */
  constructor(
    private readonly ownAddress: string | undefined,
    private readonly list: PeerList,
    private readonly echo: EchoClient,
    private readonly settings: PeerSettings,
    private readonly clock: Clock,
    private readonly log: Logger,
    private readonly metrics: ProberMetrics,
  ) {}

  /** The peers of the list, by address. */
  get peers(): ReadonlyMap<string, PeerState> {
    return this.#peers;
  }

  /** Measures to this peer as well, for a while. False when it is none of the peers. */
  focus(address: string): boolean {
    if (!this.#peers.has(address)) return false;
    const nowMs = this.clock.monotonicMs();
    this.#focuses = withFocus(this.#focuses, address, nowMs, nowMs + this.settings.focusTtlMs);
    return true;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const startedMs = this.clock.monotonicMs();
      await this.round();
      const tookMs = this.clock.monotonicMs() - startedMs;
      await this.clock.sleep(Math.max(50, this.settings.probeIntervalMs - tookMs), signal);
    }
  }

  /** One round of probes. Never rejects: a peer that does not answer keeps what is known of it, which grows old. */
  async round(): Promise<void> {
    await this.#refreshList();
    await Promise.all(this.#targets().map((address) => this.#measure(address)));
  }

  #targets(): string[] {
    const { nodeName, landmarks, landmarkCycleMs } = this.settings;
    // The own one is known by its address, or by its answer.
    const others = [...this.#peers].filter(([, { node }]) => node !== nodeName);
    const cycle = Math.floor(this.clock.nowMs() / landmarkCycleMs);
    const chosen = landmarksOf(
      nodeName,
      others.map(([address]) => address),
      landmarks,
      cycle,
    );
    const nowMs = this.clock.monotonicMs();
    const focused = others
      .map(([address]) => address)
      .filter((address) => (this.#focuses.get(address) ?? 0) > nowMs);
    return [...new Set([...chosen, ...focused])];
  }

  async #measure(address: string): Promise<void> {
    let best: EchoAnswer | undefined;
    let failure: string | undefined;
    for (let probe = 0; probe < this.settings.probesPerRound; probe += 1) {
      try {
        const answer = await this.echo.probe(address);
        this.metrics.probes.inc({ outcome: 'answered' });
        // The least of several is the way itself; what is above it is that one of the two was busy.
        if (best === undefined || answer.roundTripMs < best.roundTripMs) best = answer;
      } catch (error) {
        this.metrics.probes.inc({ outcome: 'silent' });
        failure = error instanceof Error ? error.message : String(error);
        break;
      }
    }
    const before = this.#peers.get(address);
    if (before === undefined) return;
    if (best === undefined) {
      this.#peers.set(address, { ...before, failure });
      return;
    }
    const nowMs = this.clock.nowMs();
    // Another node at the same address is another peer.
    const known = before.node === best.node ? this.#stillKnown(before.latency, nowMs) : undefined;
    const latency = ewma(known, best.roundTripMs, nowMs, this.settings.latencyHalfLifeMs);
    this.#peers.set(address, { node: best.node, latency, failure });
  }

  /** What was unknown meanwhile does not come back as a part of the average. */
  #stillKnown(latency: Ewma | undefined, nowMs: number): Ewma | undefined {
    return latency !== undefined && nowMs - latency.atMs <= this.settings.readingMaxAgeMs
      ? latency
      : undefined;
  }

  async #refreshList(): Promise<void> {
    const nowMs = this.clock.monotonicMs();
    const { peersIntervalMs } = this.settings;
    if (this.#listedMs !== undefined && nowMs - this.#listedMs < peersIntervalMs) return;
    try {
      const addresses = new Set(await this.list.addresses());
      if (this.ownAddress !== undefined) addresses.delete(this.ownAddress);
      for (const address of [...this.#peers.keys()]) {
        if (!addresses.has(address)) this.#peers.delete(address);
      }
      for (const address of addresses) {
        if (!this.#peers.has(address))
          this.#peers.set(address, { node: undefined, latency: undefined, failure: undefined });
      }
      this.#listedMs = nowMs;
      this.#listProblem = undefined;
    } catch (error) {
      // The peers known so far stay: those that are gone fall silent by themselves.
      this.metrics.failures.inc({ what: 'peers' });
      const problem = error instanceof Error ? error.message : String(error);
      if (problem !== this.#listProblem) this.log.warn({ err: error }, 'cannot list the peers');
      this.#listProblem = problem;
    }
  }
}
