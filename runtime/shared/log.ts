import { pino, type Logger } from 'pino';

export type { Logger };

/**
 * A logger that writes one JSON object a line to standard output, synchronously, so that nothing is lost when the
 * process ends.
 */
export function createLogger(service: string, level: string): Logger {
  return pino(
    {
      level,
      base: { service },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    pino.destination({ dest: 1, sync: true }),
  );
}
