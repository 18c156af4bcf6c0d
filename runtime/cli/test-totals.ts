/** A test, or a hook, that failed. */
export interface Failure {
  /** Its full title, with those of what it stands in. */
  readonly title: string;
  /** The first line of the error; of one that ended the process, its whole stack. */
  readonly error: string;
}

/** What a run of tests came to. A failed hook counts as failed. */
export interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** What is known of those that failed, in the order in which they did. */
  readonly failures: readonly Failure[];
}

/** What the reporter writes: a part of the totals, or an error that no test caught and what ran meanwhile. */
export type ReporterLine =
  Totals | { readonly escaped: { readonly during: string; readonly error: string } };

export const noTests: Totals = { passed: 0, failed: 0, skipped: 0, failures: [] };

/** One failure that no test reported. */
export function failed(title: string, error: unknown): Totals {
  return { ...noTests, failed: 1, failures: [{ title, error: firstLine(error) }] };
}

/** The last line of a run: `N passed, N failed`, and `, N skipped` where any was. */
export function totalsLine({ passed, failed, skipped }: Totals): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/** What stands before that line: each test that failed, with its error. Nothing where none did. */
export function failureLines({ failures }: Totals): string[] {
  if (failures.length === 0) return [];
  return [
    '',
    '== failed',
    ...failures.flatMap((one) => [`✖ ${one.title}`, `    ${one.error.replaceAll('\n', '\n    ')}`]),
    '',
  ];
}

/** The first line of an error that says anything, with the error's name. */
export function firstLine(error: unknown): string {
  // Some libraries put something else than text into the message.
  const text =
    error instanceof Error ? `${error.name}: ${String(error.message).trim()}` : String(error);
  return text.split('\n').find((line) => line.trim() !== '') ?? 'no message';
}

/**
 * The totals of one mocha process, from what its reporter wrote and how it ended. A process that ended badly
 * without having reported a failure (it could not load a file, or was killed) counts as one failure, told with
 * the last error that no test caught, if there was one.
 * @param layer stands before the title of each failure.
 * @param written lines of JSON, a `ReporterLine` each; may be empty.
 * @param exitCode null where a signal ended it.
 */
export function totalsOfProcess(layer: string, written: string, exitCode: number | null): Totals {
  const lines = written
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as ReporterLine);
  const sum = addTotals(...lines.flatMap((line) => ('escaped' in line ? [] : [line])));
  const failures = sum.failures.map((one) => ({ ...one, title: `${layer}: ${one.title}` }));
  if (exitCode === 0 || sum.failed > 0) return { ...sum, failures };
  const died = exitCode === null ? 'a signal ended it' : `it ended with exit code ${exitCode}`;
  const last = lines.flatMap((line) => ('escaped' in line ? [line.escaped] : [])).at(-1);
  const escaped = last ? `; during "${last.during}" this escaped: ${last.error}` : '';
  const error = `${died} and named no failed test${escaped}`;
  return addTotals(sum, {
    ...noTests,
    failed: 1,
    failures: [{ title: `${layer}: all tests`, error }],
  });
}

/** The sum of several runs. */
export function addTotals(...runs: readonly Totals[]): Totals {
  return runs.reduce(
    (sum, run) => ({
      passed: sum.passed + run.passed,
      failed: sum.failed + run.failed,
      skipped: sum.skipped + run.skipped,
      failures: [...sum.failures, ...run.failures],
    }),
    noTests,
  );
}

/** True where a run may be called good: something ran, and nothing failed. */
export function allWell(totals: Totals): boolean {
  return totals.failed === 0 && totals.passed > 0;
}
