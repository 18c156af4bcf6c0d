/** What a run of tests came to. A failed hook counts as failed. */
export interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export const noTests: Totals = { passed: 0, failed: 0, skipped: 0 };

/** The last line of a run: `N passed, N failed`, and `, N skipped` where any was. */
export function totalsLine({ passed, failed, skipped }: Totals): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/**
 * The totals of one mocha process, from what its reporter wrote and how it ended. A process that ended badly
 * without having reported a failure (it could not load a file, or was killed) counts as one failure.
 * @param written lines of JSON, one for each run; may be empty.
 * @param exitedWell true for exit code 0.
 */
export function totalsOfProcess(written: string, exitedWell: boolean): Totals {
  const runs = written
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as Totals);
  const sum = addTotals(...runs);
  return !exitedWell && sum.failed === 0 ? { ...sum, failed: 1 } : sum;
}

/** The sum of several runs. */
export function addTotals(...runs: readonly Totals[]): Totals {
  return runs.reduce(
    (sum, run) => ({
      passed: sum.passed + run.passed,
      failed: sum.failed + run.failed,
      skipped: sum.skipped + run.skipped,
    }),
    noTests,
  );
}

/** True where a run may be called good: something ran, and nothing failed. */
export function allWell(totals: Totals): boolean {
  return totals.failed === 0 && totals.passed > 0;
}
