import { z } from 'zod';
import { integerSetting, numberSetting } from '../shared/settings';
import type { LoadOptions } from './types';

/** Everything that is wrong with the command line, one line for each flag. */
export class OptionsError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'OptionsError';
  }
}

const path = z
  .string()
  .regex(/^\/[^\s#]*$/, 'must be a path that begins with /, without a space or #')
  .default('/');
const file = z.string().min(1).optional();

/** Each flag: its schema, what stands for its value in the help, and what it means. */
export const FLAGS = {
  ip: [
    '<address>',
    'address or name of the service',
    z.string().regex(/^[\w.:-]+$/, 'must be an IP address or a name'),
  ],
  port: [
    '<number>',
    'its port',
    z.coerce
      .number('must be a whole number from 1 to 65535')
      .int('must be a whole number from 1 to 65535')
      .min(1, 'must be a whole number from 1 to 65535')
      .max(65_535, 'must be a whole number from 1 to 65535'),
  ],
  qps: [
    '<number>',
    'requests due in a second, 0.01..10000 (default: 20)',
    numberSetting(0.01, 10_000, 20),
  ],
  concurrency: [
    '<number>',
    'most requests in flight, 1..5000 (default: 20)',
    integerSetting(1, 5000, 20),
  ],
  duration: [
    '<seconds>',
    'for how long requests become due, 0.1..86400 (default: 120)',
    numberSetting(0.1, 86_400, 120),
  ],
  prime: [
    '<number>',
    'parameter prime of each request; 0: none (default: 0)',
    integerSetting(0, 1e9, 0),
  ],
  bloat: [
    '<mb>',
    'parameter bloat of each request, in Mb; 0: none (default: 0)',
    integerSetting(0, 65_536, 0),
  ],
  sleep: [
    '<ms>',
    'parameter sleep of each request; 0: none (default: 0)',
    integerSetting(0, 600_000, 0),
  ],
  path: ['<path>', 'path of the requests, for another service than workload (default: /)', path],
  timeout: [
    '<ms>',
    'time limit of a request from when it is sent, 1..600000 (default: 30000)',
    integerSetting(1, 600_000, 30_000),
  ],
  'max-waiting': [
    '<number>',
    'most requests that wait because too many are in flight, 0..100000; more are dropped and counted (default: 1000)',
    integerSetting(0, 100_000, 1000),
  ],
  csv: ['<file>', 'write a row for each request; -: to standard output', file],
  json: ['<file>', 'write the final statistics; -: to standard output', file],
  jsonl: ['<file>', 'write a line of JSON for each request; -: to standard output', file],
} as const satisfies Readonly<Record<string, readonly [string, string, z.ZodType]>>;

type Flag = keyof typeof FLAGS;

/** What commander found. */
export interface RawOptions {
  /** By flag; true where its value is missing. */
  readonly values: Readonly<Record<string, string | boolean | undefined>>;
  /** What is neither a flag nor its value. */
  readonly rest: readonly string[];
}

/** @throws OptionsError that names every problem at once. */
export function parseOptions({ values, rest }: RawOptions): LoadOptions {
  const problems = rest.map((word) =>
    word.startsWith('-') ? `${word}: no such option` : `${word}: belongs to no option`,
  );
  const read = <F extends Flag>(flag: F): z.infer<(typeof FLAGS)[F][2]> => {
    const given = values[flag];
    const schema: z.ZodType = FLAGS[flag][2];
    const parsed = schema.safeParse(given === '' ? '\0' : given);
    if (given === true) problems.push(`--${flag}: needs a value`);
    else if (given === undefined && !parsed.success) problems.push(`--${flag}: is required`);
    else if (!parsed.success)
      problems.push(
        `--${flag} ${JSON.stringify(given)}: ${parsed.error.issues.map((i) => i.message).join('; ')}`,
      );
    return parsed.data as z.infer<(typeof FLAGS)[F][2]>;
  };
  const [prime, bloat, sleep] = [read('prime'), read('bloat'), read('sleep')];
  const [csvFile, jsonFile, jsonlFile] = [read('csv'), read('json'), read('jsonl')];
  const options: LoadOptions = {
    ip: read('ip'),
    port: read('port'),
    qps: read('qps'),
    concurrency: read('concurrency'),
    durationSeconds: read('duration'),
    path: withQuery(read('path') ?? '/', { sleep, prime, bloat }),
    timeoutMs: read('timeout'),
    maxWaiting: read('max-waiting'),
    keepAlive: values['keep-alive'] === true,
    ...(csvFile !== undefined && { csvFile }),
    ...(jsonFile !== undefined && { jsonFile }),
    ...(jsonlFile !== undefined && { jsonlFile }),
  };
  if (problems.length > 0) throw new OptionsError(problems);
  return options;
}

/** The path with the parameters that are not 0. */
export function withQuery(path: string, parameters: Readonly<Record<string, number>>): string {
  const query = Object.entries(parameters)
    .filter(([, value]) => value > 0)
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
  if (query === '') return path;
  return `${path}${path.includes('?') ? '&' : '?'}${query}`;
}
