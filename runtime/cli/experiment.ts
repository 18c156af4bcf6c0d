import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { experimentDashboard } from '../experiment-report/dashboard';
import { writeReport } from '../experiment-report/adapters/report-folder';
import { SCHEDULER_NAMES, SCHEDULER_SYSTEMS, type SchedulerName } from '../experiment/names';
import { DEFAULT_LOAD, parseLoad, type Load } from '../experiment/policy/load';
import type { PlannedRound } from '../experiment/policy/plan';
import type { StackFolder } from './stack-folder';
import type { StackOutputs } from './stack-outputs';
import { messageOf, UserError } from './user-error';

/** What `npm run experiment` was asked for, as it was written. */
export interface ExperimentFlags {
  readonly schedulers?: string;
  readonly load?: string;
  readonly rounds?: string;
  readonly seed?: string;
  readonly settle?: string;
  readonly out?: string;
  readonly restore?: boolean;
}

export const DEFAULT_ROUNDS = 3;
export const DEFAULT_SEED = 1;
export const DEFAULT_SETTLE_SECONDS = 30;
export const DEFAULT_SCHEDULERS = SCHEDULER_NAMES.join();

/** The same, read and checked. */
export interface ExperimentChoice {
  readonly schedulers: readonly SchedulerName[];
  /** The load as it was written. */
  readonly loadText: string;
  readonly load: Load;
  readonly rounds: number;
  readonly seed: number;
  readonly settleSeconds: number;
}

/** What says how rounds are made. */
const FLAG_NAMES = ['schedulers', 'load', 'rounds', 'seed', 'settle', 'out'] as const;

/** @throws UserError that names everything that is wrong with the flags. */
export function readFlags(flags: ExperimentFlags): ExperimentChoice {
  const problems: string[] = [];
  const { restore, ...others } = flags;
  const beside = restore ? FLAG_NAMES.filter((name) => others[name] !== undefined) : [];
  if (beside.length > 0)
    problems.push(`--restore: makes no rounds, so it does not go with --${beside.join(', --')}`);
  const whole = (
    name: 'rounds' | 'seed' | 'settle',
    fallback: number,
    min: number,
    max: number,
  ) => {
    const text = flags[name];
    if (text === undefined) return fallback;
    const value = Number(text);
    if (text.trim() !== '' && Number.isInteger(value) && value >= min && value <= max) return value;
    problems.push(`--${name} ${JSON.stringify(text)}: must be a whole number in ${min}..${max}`);
    return fallback;
  };
  const loadText = flags.load ?? DEFAULT_LOAD;
  let load: Load = { args: [], options: { qps: 0, durationSeconds: 0, timeoutMs: 0 } };
  try {
    load = parseLoad(loadText);
  } catch (error) {
    problems.push(messageOf(error));
  }
  const choice = {
    schedulers: readSchedulers(flags.schedulers ?? DEFAULT_SCHEDULERS, problems),
    loadText,
    load,
    rounds: whole('rounds', DEFAULT_ROUNDS, 1, 100),
    seed: whole('seed', DEFAULT_SEED, 0, 4_294_967_295),
    settleSeconds: whole('settle', DEFAULT_SETTLE_SECONDS, 0, 3600),
  };
  if (problems.length > 0) throw new UserError(problems.join('\n'));
  return choice;
}

function readSchedulers(text: string, problems: string[]): SchedulerName[] {
  const schedulers: SchedulerName[] = [];
  for (const part of text.split(',').map((one) => one.trim())) {
    // As kubectl users say it.
    const asked = part === 'default' ? 'default-scheduler' : part;
    const known = SCHEDULER_NAMES.find((name) => name === asked);
    if (known === undefined)
      problems.push(
        `--schedulers ${JSON.stringify(part)}: known are default, ${SCHEDULER_NAMES.join(', ')}`,
      );
    else if (schedulers.includes(known)) problems.push(`--schedulers ${part}: is given twice`);
    else schedulers.push(known);
  }
  return schedulers;
}

/** @throws UserError that says what the estate lacks and how it comes by it. */
export function requireEstate(
  folder: StackFolder,
  { systems = [] }: StackOutputs,
  schedulers: readonly SchedulerName[],
): void {
  const { stack } = folder;
  if (!existsSync(folder.kubeconfig))
    throw new UserError(`stack ${stack} is not up: npm run up -- -s ${stack}`);
  const needed = ['experiment', ...schedulers.flatMap((name) => SCHEDULER_SYSTEMS[name] ?? [])];
  const off = needed.filter((system) => !systems.includes(system));
  if (off.length === 0) return;
  throw new UserError(
    off
      .map((system) => {
        const why = schedulers.find((name) => SCHEDULER_SYSTEMS[name] === system) ?? 'this command';
        return `system ${system} is off in stack ${stack}, and ${why} needs it: set berth:systems.${system}.enabled to true in Pulumi.${stack}.yaml, then npm run up -- -s ${stack}`;
      })
      .join('\n'),
  );
}

/** Where the results of one experiment lie. */
export class ResultsFolder {
  /** How many rounds have been kept. */
  rounds = 0;

  constructor(readonly path: string) {}

  /** Makes it, and writes down what is about to be done. @throws UserError for one that has results already. */
  async begin(choice: ExperimentChoice, plan: readonly PlannedRound[]): Promise<void> {
    if (existsSync(join(this.path, 'raw')))
      throw new UserError(`${this.path}: has results already; choose another with --out`);
    await mkdir(join(this.path, 'raw'), { recursive: true });
    // The load as it was written says all.
    const asked = { ...choice, load: undefined };
    const begun = { startedAt: new Date().toISOString(), ...asked, plan };
    await this.#write('experiment.json', begun);
    await this.#write('dashboard.json', experimentDashboard());
  }

  async keep({ file }: PlannedRound, text: string): Promise<void> {
    await writeFile(join(this.path, 'raw', file), text);
    this.rounds += 1;
  }

  /** Makes the report. Gives the path of its page. */
  async report(): Promise<string> {
    const written = await writeReport(this.path);
    return written.find((file) => file.endsWith('report.html')) ?? this.path;
  }

  async #write(name: string, value: unknown): Promise<void> {
    await writeFile(join(this.path, name), `${JSON.stringify(value, null, 2)}\n`);
  }
}
