import type { PodsRow } from '../experiment-report/types';
import type { Clock } from '../shared/clock';
import type { PlannedRound } from './policy/plan';
import type { RoundData } from './policy/raw-file';
import type { LoadResult } from './policy/load-log';
import type { ExperimentPorts, PodWatch } from './ports';

/** How often pods are counted while a load runs. */
const SAMPLE_MS = 1000;
/** How often the CPU is looked up; Prometheus knows it no more often than it scrapes. */
const CPU_STEP_MS = 5000;

export interface RoundOptions {
  /** Services that get the load, each all of it. */
  readonly services: readonly string[];
  /** From when the pods are ready until the load: CPU readings must have come to rest. */
  readonly settleMs: number;
}

/** Told what a round is doing just now. */
export type Told = (text: string) => void;

/** Runs one round: new pods by its scheduler, rest, load. Ends early, with an error, when the signal aborts. */
export async function runRound(
  { scheduler }: PlannedRound,
  ports: ExperimentPorts,
  { services, settleMs }: RoundOptions,
  clock: Clock,
  signal: AbortSignal,
  told: Told,
): Promise<RoundData> {
  told('removes the pods of before');
  await ports.workloads.park(signal);
  const watch = await ports.watch(signal);
  try {
    told(`${scheduler} places the first pods`);
    await ports.workloads.start(scheduler, signal);
    told('rests');
    await clock.sleep(settleMs, signal);
    signal.throwIfAborted();
    const startedAtMs = clock.nowMs();
    const { loads, pods } = await underLoad(services, ports, watch, clock, signal, told);
    const toMs = clock.nowMs();
    const cpu = await ports.cpu.range({ fromMs: startedAtMs, toMs, stepMs: CPU_STEP_MS });
    return { startedAtMs, loads, pods, cpu, placements: watch.placements() };
  } finally {
    await watch.stop();
  }
}

async function underLoad(
  services: readonly string[],
  ports: ExperimentPorts,
  watch: PodWatch,
  clock: Clock,
  signal: AbortSignal,
  told: Told,
): Promise<Pick<RoundData, 'loads' | 'pods'>> {
  const ended = new Map<string, number>();
  const pods: PodsRow[] = [];
  // One that fails ends the others: half a load is none.
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const over = new AbortController();
  const sampling = (async () => {
    while (!over.signal.aborted) {
      const row = { atMs: clock.nowMs(), ...watch.counts(), desired: watch.desired() };
      pods.push(row);
      const requests = [...ended.values()].reduce((sum, one) => sum + one, 0);
      const desired = Object.values(row.desired).reduce((sum, one) => sum + one, 0);
      told(`${requests} requests ended, ${row.running} pods run, ${desired} desired`);
      await clock.sleep(SAMPLE_MS, over.signal);
    }
  })();
  try {
    const results = await Promise.all(
      services.map(async (service): Promise<[string, LoadResult]> => {
        try {
          return [service, await ports.loads.run(service, either, (n) => ended.set(service, n))];
        } catch (error) {
          failed.abort();
          throw error;
        }
      }),
    );
    return { loads: Object.fromEntries(results), pods };
  } finally {
    over.abort();
    await sampling;
  }
}
