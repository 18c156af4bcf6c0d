import { parseArgs } from 'node:util';
import { runService, type Running } from './lifecycle';
import { createLogger, type Logger } from './log';
import { parseSettings, SettingsError, type SettingsOf, type SettingsTable } from './settings';
import { settingsHelp } from './settings-help';

const EXIT_BAD_SETTINGS = 2;

/** A settings table that says how much is logged, as that of every service does. */
type WithLogLevel = SettingsTable & {
  readonly logLevel: SettingsTable[string];
};

/** A program that is set by its environment. */
export interface Program<T extends WithLogLevel> {
  /** Name in the usage, and in the logs of a service. */
  readonly name: string;
  /** The first lines of `--help`: what it does. */
  readonly summary: string;
  readonly settings: T;
  /** Options that stand for a variable of the environment, such as `{ 'prom-url': 'PROM_URL' }`. */
  readonly options?: Readonly<Record<string, string>>;
  /** Looks at settings together. @throws SettingsError */
  check?(settings: SettingsOf<T>): void;
}

/** A service as a process. */
export interface ServiceProgram<T extends WithLogLevel> extends Program<T> {
  start(settings: SettingsOf<T>, log: Logger): Promise<Running>;
  /** Its log, where that is more than JSON on standard output. @throws SettingsError */
  log?(settings: SettingsOf<T>): Logger;
}

/**
 * Runs a service: `--help` prints every setting; settings come from the environment and the options; SIGTERM stops it
 * well. Exit codes: 0 after a clean stop, 1 when it could not start or failed, 2 for bad settings or options.
 */
export function serviceMain<const T extends WithLogLevel>(program: ServiceProgram<T>): void {
  programMain(program, (settings) => {
    const log = program.log?.(settings) ?? createLogger(program.name, String(settings['logLevel']));
    runService(log, () => program.start(settings, log));
  });
}

/**
 * Runs a program that ends by itself, with its settings; it chooses its own exit codes but for bad settings or options,
 * which are 2, and `--help`.
 */
export function programMain<const T extends WithLogLevel>(
  program: Program<T>,
  run: (settings: SettingsOf<T>) => void,
): void {
  try {
    const options = program.options ?? {};
    const parsed = parseArgs({
      options: {
        help: { type: 'boolean', short: 'h' },
        ...Object.fromEntries(
          Object.keys(options).map((name) => [name, { type: 'string' as const }]),
        ),
      },
    });
    const values: Readonly<Record<string, unknown>> = parsed.values;
    if (values['help'] === true) {
      process.stdout.write(
        settingsHelp(usage(program.name, program.summary, options), program.settings),
      );
      return;
    }
    const given = Object.entries(options).flatMap(([name, env]) => {
      const value = values[name];
      return typeof value === 'string' ? [[env, value] as const] : [];
    });
    const settings = parseSettings(program.settings, {
      ...process.env,
      ...Object.fromEntries(given),
    });
    program.check?.(settings);
    run(settings);
  } catch (error) {
    if (!(error instanceof SettingsError) && !isBadOption(error)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = EXIT_BAD_SETTINGS;
  }
}

function usage(name: string, summary: string, options: Readonly<Record<string, string>>): string {
  const named = Object.keys(options).map((option) => ` [--${option} VALUE]`);
  const same = Object.entries(options).map(([option, env]) => `--${option} stands for ${env}.`);
  return [`${name}: ${summary}`, '', `Usage: node main.js${named.join('')} [--help]`, ...same].join(
    '\n',
  );
}

/** What parseArgs throws for an option that it does not know, or one without its value. */
function isBadOption(error: unknown): error is Error {
  return (
    error instanceof Error &&
    'code' in error &&
    typeof error.code === 'string' &&
    error.code.startsWith('ERR_PARSE_ARGS')
  );
}
