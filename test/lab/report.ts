/** Says what the lab is doing. Steps may be nested and may run side by side. */
export interface Reporter {
  /**
   * Runs one step and reports its end and its time; a failure is reported and thrown on.
   * @param run gets a function that replaces the step's detail text (what it is doing right now)
   */
  step<T>(title: string, run: (detail: (text: string) => void) => Promise<T>): Promise<T>;
}

/** Reports nothing: for tests, and for callers that report on their own. */
export const silentReporter: Reporter = { step: (_title, run) => run(() => undefined) };

/** A step that takes longer than this gets a line of its own while it runs, and one more each time it passes again, in ms. */
const STILL_RUNNING_MS = 15_000;

/**
 * One line at the end of each step, `title  last detail  12.3 s`, and one now and then for a step that takes long.
 * @param write takes whole lines without their line end; default: standard error
 */
export function consoleReporter(
  write: (line: string) => void = (line) => process.stderr.write(`${line}\n`),
): Reporter {
  return {
    async step(title, run) {
      const startedMs = performance.now();
      let last = '';
      const say = (mark: string) => {
        const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
        write(`  ${mark} ${title}${last === '' ? '' : `  ${last}`}  ${seconds} s`);
      };
      const timer = setInterval(() => say('…'), STILL_RUNNING_MS);
      try {
        const result = await run((text) => (last = text));
        say('✓');
        return result;
      } catch (error) {
        say('✗');
        throw error;
      } finally {
        clearInterval(timer);
      }
    },
  };
}
