import { appendFileSync } from 'node:fs';
import Mocha from 'mocha';
import { firstLine, noTests, totalsLine, type ReporterLine } from '../runtime/cli/test-totals';

/**
 * Mocha's own `spec` output, and then one plain line: `N passed, N failed`. A failed hook counts as failed.
 * Where BERTH_TEST_TOTALS names a file, each result goes there as a line of JSON as soon as it is known, so that
 * a process that dies loses none, and whoever set it prints the totals of several runs.
 */
export default class Reporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options?: Mocha.MochaOptions) {
    super(runner, options);
    const { EVENT_RUN_END, EVENT_TEST_FAIL, EVENT_TEST_PASS, EVENT_TEST_PENDING } =
      Mocha.Runner.constants;
    const file = process.env.BERTH_TEST_TOTALS;
    if (!file) {
      runner.once(EVENT_RUN_END, () => {
        const { passes: passed, failures: failed, pending: skipped } = this.stats;
        Mocha.reporters.Base.consoleLog(totalsLine({ passed, failed, skipped, failures: [] }));
      });
      return;
    }
    const write = (line: ReporterLine) => appendFileSync(file, `${JSON.stringify(line)}\n`);
    let running = 'loading of the tests';
    runner.on(EVENT_TEST_PASS, () => write({ ...noTests, passed: 1 }));
    runner.on(EVENT_TEST_PENDING, () => write({ ...noTests, skipped: 1 }));
    runner.on(EVENT_TEST_FAIL, (test: Mocha.Test, error: unknown) => {
      // Mocha marks what nobody awaited, and blames the test that ran at the time.
      const uncaught = error instanceof Error && 'uncaught' in error ? 'Uncaught ' : '';
      const failure = { title: test.titlePath().join(' '), error: uncaught + firstLine(error) };
      write({ ...noTests, failed: 1, failures: [failure] });
    });
    runner.on(Mocha.Runner.constants.EVENT_TEST_BEGIN, (test: Mocha.Test) => {
      running = test.fullTitle();
    });
    runner.on(Mocha.Runner.constants.EVENT_HOOK_BEGIN, (hook: Mocha.Hook) => {
      running = hook.fullTitle();
    });
    // It sees also what ends the process without a failed test: an error within mocha's own handling of one.
    process.on('uncaughtExceptionMonitor', (error: unknown) => {
      const stack = error instanceof Error ? error.stack : undefined;
      write({ escaped: { during: running, error: stack ?? firstLine(error) } });
    });
  }
}
