import { appendFileSync } from 'node:fs';
import Mocha from 'mocha';
import { firstLine, totalsLine, type Failure, type Totals } from '../runtime/cli/test-totals';

/**
 * Mocha's own `spec` output, and then one plain line: `N passed, N failed`. A failed hook counts as failed.
 * Where BERTH_TEST_TOTALS names a file, the numbers and what failed go there as a line of JSON instead, and
 * whoever set it prints them for several runs.
 */
export default class Reporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options?: Mocha.MochaOptions) {
    super(runner, options);
    const failures: Failure[] = [];
    runner.on(Mocha.Runner.constants.EVENT_TEST_FAIL, (test: Mocha.Test, error: unknown) => {
      // Mocha marks what nobody awaited, and blames the test that ran at the time.
      const uncaught = error instanceof Error && 'uncaught' in error ? 'Uncaught ' : '';
      failures.push({ title: test.titlePath().join(' '), error: uncaught + firstLine(error) });
    });
    runner.once(Mocha.Runner.constants.EVENT_RUN_END, () => {
      const totals: Totals = {
        passed: this.stats.passes,
        failed: this.stats.failures,
        skipped: this.stats.pending,
        failures,
      };
      const file = process.env.BERTH_TEST_TOTALS;
      if (file) appendFileSync(file, `${JSON.stringify(totals)}\n`);
      else Mocha.reporters.Base.consoleLog(totalsLine(totals));
    });
  }
}
