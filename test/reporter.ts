import { appendFileSync } from 'node:fs';
import Mocha from 'mocha';
import { totalsLine, type Totals } from '../runtime/cli/test-totals';

/**
 * Mocha's own `spec` output, and then one plain line: `N passed, N failed`. A failed hook counts as failed.
 * Where BERTH_TEST_TOTALS names a file, the numbers go there as a line of JSON instead, and whoever set it
 * prints one line for several runs.
 */
export default class Reporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options?: Mocha.MochaOptions) {
    super(runner, options);
    runner.once(Mocha.Runner.constants.EVENT_RUN_END, () => {
      const totals: Totals = {
        passed: this.stats.passes,
        failed: this.stats.failures,
        skipped: this.stats.pending,
      };
      const file = process.env.BERTH_TEST_TOTALS;
      if (file) appendFileSync(file, `${JSON.stringify(totals)}\n`);
      else Mocha.reporters.Base.consoleLog(totalsLine(totals));
    });
  }
}
