import { destination, multistream, type DestinationStream } from 'pino';
import { colorizerFactory, prettyFactory } from 'pino-pretty';
import { createLogger, type Logger } from '../../shared/log';
import { SettingsError, type SettingsOf } from '../../shared/settings';
import { cycleText, isCycle, type CycleLine } from './cycle-text';
import type { logOutputSettings } from './settings';

const STDOUT = 1;

/** The log of the autoscaler, in the form that its settings ask for. @throws SettingsError for a file that cannot be opened */
export function autoscalerLog({
  logLevel,
  logFormat,
  logFile,
}: SettingsOf<typeof logOutputSettings>): Logger {
  const stdout = destination({ dest: STDOUT, sync: true });
  const shown = logFormat === 'pretty' ? forPeople(stdout, process.stdout.isTTY) : stdout;
  const streams = logFile === '' ? [shown] : [shown, openFile(logFile)];
  return createLogger(
    'autoscaler',
    logLevel,
    multistream(streams.map((stream) => ({ stream, level: logLevel }))),
  );
}

/** Turns each line into what people read. Synchronous, and without a worker, so that it is in the bundle as it is. */
export function forPeople(to: DestinationStream, colours: boolean): DestinationStream {
  const paint = colorizerFactory(colours);
  const emphasis = {
    separator: (text: string) => paint.message(text),
    header: (text: string) => paint.greyMessage(text),
  };
  const pretty = prettyFactory({
    colorize: colours,
    ignore: 'pid,hostname,service',
    singleLine: true,
    translateTime: 'UTC:yyyy-mm-dd HH:MM:ss',
  });
  return {
    write(text) {
      const line = JSON.parse(text) as Readonly<Record<string, unknown>>;
      to.write(
        isCycle(line) ? `${cycleText(line as never as CycleLine, emphasis)}\n` : pretty(line),
      );
    },
  };
}

function openFile(path: string): DestinationStream {
  try {
    const file = destination({ dest: path, sync: true, append: true, mkdir: true });
    // A full disk is no reason to stop scaling; standard output has the log, too.
    file.on('error', (error: Error) =>
      process.stderr.write(`LOG_FILE ${path}: ${error.message}\n`),
    );
    return file;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new SettingsError([`LOG_FILE ${JSON.stringify(path)}: cannot be opened: ${why}`]);
  }
}
