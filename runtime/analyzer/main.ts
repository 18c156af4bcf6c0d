import { systemClock } from '../shared/clock';
import { createLogger } from '../shared/log';
import { programMain } from '../shared/service-main';
import { SettingsError } from '../shared/settings';
import { writeTerminationLog } from './adapters/termination-log';
import { runAnalyzer } from './run';
import { analyzerSettings, jobName, settingsConflicts, type AnalyzerSettings } from './settings';

const EXIT_FAILED = 1;
/** As of a process that SIGTERM ended: the job is not complete, so its controller must not take it for that. */
const EXIT_STOPPED = 143;
/** Where a kubelet expects the termination message; nobody else has use for it there. */
const KUBELET_TERMINATION_LOG = '/dev/termination-log';

async function main(settings: AnalyzerSettings): Promise<number> {
  const log = createLogger(jobName(settings), settings.logLevel);
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => {
      if (stop.signal.aborted) process.exit(EXIT_FAILED);
      log.info({ event: 'stopping', signal }, 'finishing the images in hand');
      stop.abort();
    });
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'an error escaped');
    process.exit(EXIT_FAILED);
  });
  const { summary, end, error } = await runAnalyzer(settings, __dirname, {
    clock: systemClock,
    log,
    stop: stop.signal,
  });
  const { terminationLog } = settings;
  await writeTerminationLog(
    terminationLog,
    terminationLog !== KUBELET_TERMINATION_LOG,
    summary,
    error,
  ).catch((failure: unknown) => log.error({ err: failure }, 'the summary could not be written'));
  if (error === undefined) log.info({ event: 'summary', end, ...summary }, 'ended');
  else log.fatal({ event: 'summary', end, ...summary, error }, error);
  if (end === 'failed') return EXIT_FAILED;
  return end === 'stopped' ? EXIT_STOPPED : 0;
}

programMain(
  {
    name: 'analyzer',
    summary: 'judges the posture of people in images from MQTT or a folder',
    settings: analyzerSettings,
    check: (settings) => {
      const conflicts = settingsConflicts(settings);
      if (conflicts.length > 0) throw new SettingsError(conflicts);
    },
  },
  (settings) =>
    void main(settings).then(
      (code) => process.exit(code),
      (error: unknown) => {
        process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
        process.exit(EXIT_FAILED);
      },
    ),
);
