import { NEVER_READ, type Reading } from '../../shared/freshness';
import { estimatedCpuMillis, isUnseen, type EstimateSettings } from '../policy/cpu';
import type { CpuReading } from '../../shared/node-cpu/types';
import type { HostPort, NodeInfo, NodeView, PodInfo, Resources } from '../types';

interface Sums extends Resources {
  cpuMillis: number;
  memoryBytes: number;
  ephemeralStorageBytes: number;
  readonly others: Map<string, number>;
}

/** A node and the pods on it, with the sums that decisions need kept up to date. */
export class NodeRecord implements NodeView {
  reading: Reading<number> = NEVER_READ;
  previousReading: Reading<number> = NEVER_READ;
  unseenCpuRatio = 0;
  requestedCpuRatio = 0;
  /** Key in the order of measured nodes. */
  effectiveCpuRatio = 0;
  hostPorts: readonly HostPort[] = [];
  readonly requested: Sums = {
    cpuMillis: 0,
    memoryBytes: 0,
    ephemeralStorageBytes: 0,
    others: new Map(),
  };
  readonly #pods = new Map<string, PodInfo>();
  #estimatedMillis = 0;

  constructor(
    public info: NodeInfo,
    private readonly settings: EstimateSettings,
  ) {}

  get podCount(): number {
    return this.#pods.size;
  }

  get pods(): Iterable<PodInfo> {
    return this.#pods.values();
  }

  /** Adds a pod, or puts it in the place of what was known of it. */
  setPod(pod: PodInfo): void {
    const before = this.#pods.get(pod.uid);
    if (before !== undefined) this.#count(before, -1);
    this.#pods.set(pod.uid, pod);
    this.#count(pod, 1);
    if (pod.hostPorts.length > 0 || before?.hostPorts.length) this.#collectPorts();
  }

  removePod(uid: string): void {
    const before = this.#pods.get(uid);
    if (before === undefined) return;
    this.#pods.delete(uid);
    this.#count(before, -1);
    if (before.hostPorts.length > 0) this.#collectPorts();
  }

  /**
   * Takes a newer reading. One less than a second newer is the same sample, seen twice through a jittering network; it
   * changes nothing, so that the reading before stays another one.
   */
  setReading({ cpuRatio, takenAtMs }: CpuReading): void {
    if (this.reading.state === 'known' && takenAtMs < this.reading.takenAtMs + 1000) return;
    this.previousReading = this.reading;
    this.reading = { state: 'known', value: cpuRatio, takenAtMs };
  }

  /** Brings the estimates up to date; to be called after every change and now and then as time passes. */
  refresh(nowMs: number): void {
    let unseenMillis = 0;
    for (const pod of this.#pods.values()) {
      if (isUnseen(pod, this.reading, nowMs, this.settings)) {
        unseenMillis += estimatedCpuMillis(pod.requests, this.settings);
      }
    }
    // A node that offers no processor at all is full.
    const ratio = (millis: number): number =>
      this.info.allocatable.cpuMillis > 0 ? millis / this.info.allocatable.cpuMillis : 1;
    this.unseenCpuRatio = ratio(unseenMillis);
    this.requestedCpuRatio = ratio(this.#estimatedMillis);
    this.effectiveCpuRatio =
      (this.reading.state === 'known' ? this.reading.value : 0) + this.unseenCpuRatio;
  }

  #count({ requests }: PodInfo, sign: 1 | -1): void {
    this.requested.cpuMillis += sign * requests.cpuMillis;
    this.requested.memoryBytes += sign * requests.memoryBytes;
    this.requested.ephemeralStorageBytes += sign * requests.ephemeralStorageBytes;
    for (const [name, amount] of requests.others) {
      const { others } = this.requested;
      others.set(name, (others.get(name) ?? 0) + sign * amount);
    }
    this.#estimatedMillis += sign * estimatedCpuMillis(requests, this.settings);
  }

  #collectPorts(): void {
    this.hostPorts = [...this.#pods.values()].flatMap((pod) => pod.hostPorts);
  }
}
