import { pino, type DestinationStream, type Logger } from 'pino';

export type { Logger };

/**
 * A logger that writes one JSON object a line to standard output, synchronously, so that nothing is lost when the
 * process ends.
 * @param destination where it writes instead.
 */
export function createLogger(
  service: string,
  level: string,
  destination: DestinationStream = pino.destination({ dest: 1, sync: true }),
): Logger {
  return pino(
    {
      level,
      base: { service },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
}
