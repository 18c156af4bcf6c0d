import { FLAGS, OptionsError, parseOptions } from '../../load-generator/options';
import type { LoadOptions } from '../../load-generator/types';

/** The load when none is given: that of the workload's example. */
export const DEFAULT_LOAD = 'qps=20,concurrency=20,duration=120,prime=100000,bloat=5,sleep=500';

/** Flags of the load generator that say how much, and not where to or where the results go. */
const LOAD_FLAGS = [
  ...(['qps', 'concurrency', 'duration', 'prime', 'bloat', 'sleep'] as const),
  ...(['timeout', 'max-waiting'] as const),
] satisfies (keyof typeof FLAGS)[];

/** A load as it is given to the load generator. */
export interface Load {
  /** Its flags, as `--qps 20`, without where the requests go. */
  readonly args: readonly string[];
  readonly options: Pick<LoadOptions, 'qps' | 'durationSeconds' | 'timeoutMs'>;
}

/**
 * Reads a load such as `qps=20,duration=120,prime=100000`: flags of the load generator, without their dashes.
 * @throws OptionsError that names every problem at once.
 */
export function parseLoad(text: string): Load {
  const values: Record<string, string> = {};
  const problems: string[] = [];
  for (const part of text.split(',').filter((one) => one.trim() !== '')) {
    const [name = '', ...rest] = part.trim().split('=');
    if (!LOAD_FLAGS.some((flag) => flag === name))
      problems.push(
        `--load ${part.trim()}: known are ${LOAD_FLAGS.join(', ')}, each as NAME=VALUE`,
      );
    else if (rest.length === 0) problems.push(`--load ${name}: needs a value, as ${name}=VALUE`);
    else if (name in values) problems.push(`--load ${name}: is given twice`);
    else values[name] = rest.join('=');
  }
  try {
    const options = parseOptions({ values: { ...values, ip: 'none', port: '1' }, rest: [] });
    if (problems.length > 0) throw new OptionsError([]);
    const args = Object.entries(values).flatMap(([flag, value]) => [`--${flag}`, value]);
    return { args, options };
  } catch (error) {
    if (!(error instanceof OptionsError)) throw error;
    const found = error.problems.map((problem) => problem.replace(/^--/, '--load '));
    throw new OptionsError([...problems, ...found]);
  }
}

/** The whole command line of one load generator. Requests and statistics go to its log. */
export const loadArgs = (load: Load, host: string, port: number): string[] => [
  ...['--ip', host],
  ...['--port', String(port)],
  ...load.args,
  ...['--jsonl', '-'],
  ...['--json', '-'],
];
