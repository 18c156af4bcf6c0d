import { closeSync, createWriteStream, openSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { finished } from 'node:stream/promises';
import { nameOf } from '../policy/statistics';
import type { Output } from '../ports';
import type { Ended, LoadOptions, Summary } from '../types';

/** Columns of the CSV file, and keys of the lines of JSON. */
export const COLUMNS = [
  'index',
  'intendedAtMs',
  'waitedMs',
  'latencyMs',
  'serviceTimeMs',
  'outcome',
  'status',
] as const;

/** Stands for standard output where a file is asked for. */
export const STANDARD_OUTPUT = '-';

type Stream = NodeJS.WritableStream;

const round = (ms: number): number => Math.round(ms * 1000) / 1000;

/** One request as it is written. @param startedAtMs start of the run, in ms since 1970. */
export function recordOf(request: Ended, startedAtMs: number) {
  const { index, intendedMs, sentMs, endedMs, outcome } = request;
  return {
    index,
    intendedAtMs: round(startedAtMs + intendedMs),
    waitedMs: round(sentMs - intendedMs),
    latencyMs: round(endedMs - intendedMs),
    serviceTimeMs: round(endedMs - sentMs),
    outcome: nameOf(outcome),
    status: outcome.kind === 'answered' ? outcome.status : null,
  };
}

/**
 * Writes requests as they end, so that nothing is kept, and the statistics at the end.
 * @throws before anything is sent when a file cannot be written.
 */
export class FileOutput implements Output {
  private readonly csv: Stream | undefined;
  private readonly jsonl: Stream | undefined;
  private readonly failure = new AbortController();

  private startedAtMs = 0;

  constructor(private readonly options: LoadOptions) {
    this.csv = this.open(options.csvFile);
    this.jsonl = this.open(options.jsonlFile);
    if (options.jsonFile !== undefined && options.jsonFile !== STANDARD_OUTPUT)
      closeSync(openSync(options.jsonFile, 'w'));
    this.csv?.write(`${COLUMNS.join()}\n`);
  }

  started(atMs: number): void {
    this.startedAtMs = atMs;
  }

  ended(request: Ended): void {
    const record = recordOf(request, this.startedAtMs);
    // Numbers, and names without a comma or a quote: nothing to escape.
    this.csv?.write(`${COLUMNS.map((column) => record[column] ?? '').join()}\n`);
    this.jsonl?.write(`${JSON.stringify(record)}\n`);
  }

  async finish(summary: Summary, interrupted: boolean): Promise<void> {
    for (const stream of [this.csv, this.jsonl]) {
      if (stream === undefined || stream === process.stdout) continue;
      this.failure.signal.throwIfAborted();
      stream.end();
      await finished(stream);
    }
    if (this.options.jsonFile === undefined) return;
    const options = {
      ...this.options,
      csvFile: undefined,
      jsonFile: undefined,
      jsonlFile: undefined,
    };
    const all = { startedAtMs: this.startedAtMs, interrupted, options, ...summary };
    // A line by itself among the others, where those are lines of JSON too.
    if (this.options.jsonFile === STANDARD_OUTPUT) process.stdout.write(`${JSON.stringify(all)}\n`);
    else await writeFile(this.options.jsonFile, `${JSON.stringify(all, null, 2)}\n`);
  }

  private open(file: string | undefined): Stream | undefined {
    if (file === undefined) return undefined;
    if (file === STANDARD_OUTPUT) return process.stdout;
    const stream = createWriteStream(file, { fd: openSync(file, 'w') });
    stream.on('error', (error) => this.failure.abort(error));
    return stream;
  }
}
