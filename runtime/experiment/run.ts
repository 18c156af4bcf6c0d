import type { Clock } from '../shared/clock';
import type { PlannedRound } from './policy/plan';
import type { ExperimentPorts } from './ports';
import { rawFileOf } from './policy/raw-file';
import { runRound, type RoundOptions, type Told } from './round';

export interface RunOptions extends RoundOptions {
  readonly plan: readonly PlannedRound[];
  /** Keeps the raw file of a round that has ended. */
  keep(round: PlannedRound, text: string): Promise<void>;
  /** Shows one round while it runs. */
  show(round: PlannedRound, run: (told: Told) => Promise<void>): Promise<void>;
}

/**
 * Runs all rounds of a plan, one after the other. Whatever happens, the workloads are then what they were: also after an
 * error, and when the signal aborts.
 * @returns how many rounds have ended; fewer than planned when the signal aborted.
 * @throws what a round threw, other than because of the signal.
 */
export async function runExperiment(
  ports: ExperimentPorts,
  options: RunOptions,
  clock: Clock,
  signal: AbortSignal,
): Promise<number> {
  let ended = 0;
  await undoExperiment(ports);
  await ports.workloads.remember();
  try {
    for (const round of options.plan) {
      if (signal.aborted) break;
      await options.show(round, async (told) => {
        const data = await runRound(round, ports, options, clock, signal, told);
        await options.keep(round, rawFileOf(round, data));
      });
      ended += 1;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await undoExperiment(ports);
  }
  return ended;
}

/** Ends the loads of an experiment, also of one that was killed, and makes the workloads what they were before it. */
export async function undoExperiment({
  loads,
  workloads,
}: Pick<ExperimentPorts, 'loads' | 'workloads'>): Promise<void> {
  await loads.clear();
  await workloads.restore();
}
