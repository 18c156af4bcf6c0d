import { Command } from 'commander';
import { systemClock } from '../shared/clock';
import { FileOutput, STANDARD_OUTPUT } from './adapters/file-output';
import { HttpTarget } from './adapters/http-target';
import { LiveLine } from './adapters/live-line';
import { FLAGS, OptionsError, parseOptions, type RawOptions } from './options';
import { finalText, liveText } from './policy/text';
import { LoadRun } from './run';
import type { LoadOptions } from './types';

const EXIT_NO_SUCCESS = 1;
const EXIT_BAD_OPTIONS = 2;
const EXIT_INTERRUPTED = 130;

function rawOptions(argv: readonly string[]): RawOptions {
  const command = new Command('load-generator')
    .description(
      'Sends requests at a steady rate, whatever comes of those before, and measures from when each was due.',
    )
    .option('--keep-alive', 'reuse connections; otherwise each request has its own')
    // Everything that is wrong is reported together, so commander leaves it all to parseOptions.
    .allowUnknownOption()
    .allowExcessArguments()
    .configureHelp({ optionTerm: (option) => option.flags.replace(/\[(.*)\]/, '<$1>') });
  for (const [flag, [value, description]] of Object.entries(FLAGS))
    command.option(`--${flag} ${value.replace('<', '[').replace('>', ']')}`, description);
  command.parse([...argv], { from: 'user' });
  const found = command.opts<Record<string, string | boolean | undefined>>();
  const values = Object.fromEntries(
    command.options.map((option) => [option.name(), found[option.attributeName()]]),
  );
  return { values, rest: command.args };
}

async function load(options: LoadOptions): Promise<void> {
  const stop = new AbortController();
  const interrupt = (): void => {
    if (stop.signal.aborted) process.exit(EXIT_INTERRUPTED);
    stop.abort();
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  const target = new HttpTarget(options);
  const output = new FileOutput(options);
  const run = new LoadRun(options, target, output, systemClock);
  // What people read gives way to what programs read.
  const taken = [options.csvFile, options.jsonFile, options.jsonlFile].includes(STANDARD_OUTPUT);
  const screen = taken ? process.stderr : process.stdout;
  const line = new LiveLine(screen, () => liveText(run.live()));
  const summary = await run.run(stop.signal);
  line.end();
  screen.write(finalText(summary, stop.signal.aborted));
  await target.close();
  await output.finish(summary, stop.signal.aborted);
  if (stop.signal.aborted) process.exitCode = EXIT_INTERRUPTED;
  else if (summary.successful === 0) process.exitCode = EXIT_NO_SUCCESS;
}

async function main(): Promise<void> {
  try {
    await load(parseOptions(rawOptions(process.argv.slice(2))));
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exitCode = error instanceof OptionsError ? EXIT_BAD_OPTIONS : EXIT_NO_SUCCESS;
  }
}

void main();
