import { stringify } from 'csv-stringify/sync';

/** What the logger adds to each line, and the mark of a row: not part of the result. */
const LOG_FIELDS = new Set(['level', 'time', 'pid', 'hostname', 'service', 'name', 'msg', 'event']);

/**
 * The CSV of a job's results, from the lines that its analyzer logged: one row for each line of JSON whose `event` is
 * `image`, columns in the order in which the analyzer names them. Undefined where there is no such line.
 */
export function resultsCsv(log: string): string | undefined {
  const rows = log.split('\n').flatMap((line) => {
    const row = parseRow(line);
    return row === undefined ? [] : [row];
  });
  if (rows.length === 0) return undefined;
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))].filter(
    (key) => !LOG_FIELDS.has(key),
  );
  return stringify(rows, { header: true, columns });
}

function parseRow(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const parsed = JSON.parse(line) as Record<string, unknown>;
    return parsed.event === 'image' ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/** The last lines of a log that say something, for an error message. */
export function lastLines(log: string, count: number): string[] {
  return log
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-count);
}
