import type { Logger } from './log';

/** What a started service gives back: how to end it. */
export interface Running {
  /** Ends what was started, in order; called once. */
  stop(): Promise<void>;
}

const STOP_LIMIT_MS = 20_000;

/**
 * Runs a service until SIGTERM or SIGINT, then stops it cleanly and exits: 0 after a clean stop, 1 when it could not
 * start, did not stop within 20 s, or an error escaped. A second signal ends it at once.
 */
export function runService(log: Logger, start: () => Promise<Running>): void {
  let running: Running | undefined;
  let stopping = false;
  const stop = (why: string, code: number): void => {
    if (stopping) process.exit(1);
    stopping = true;
    log.info({ why }, 'stopping');
    setTimeout(() => {
      log.error('did not stop in time');
      process.exit(1);
    }, STOP_LIMIT_MS).unref();
    Promise.resolve(running?.stop()).then(
      () => {
        log.info('stopped');
        process.exit(code);
      },
      (error: unknown) => {
        log.error({ err: error }, 'could not stop cleanly');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', () => stop('SIGTERM', 0));
  process.on('SIGINT', () => stop('SIGINT', 0));
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'an error escaped');
    if (stopping) process.exit(1);
    stop('an error escaped', 1);
  });
  start().then(
    async (started) => {
      running = started;
      if (stopping) await started.stop();
    },
    (error: unknown) => {
      log.fatal({ err: error }, 'could not start');
      process.exit(1);
    },
  );
}
