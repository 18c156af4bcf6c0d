import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runNode } from '../children';
import type { CommandContext } from '../command-context';
import { formatDuration } from '../duration';
import { reporterOf } from '../progress';
import {
  addTotals,
  allWell,
  failed,
  failureLines,
  noTests,
  totalsLine,
  totalsOfProcess,
  type Totals,
} from '../test-totals';
import { messageOf, UserError } from '../user-error';

/** What each layer proves stands in the README; those that need a lab come last. */
export const LAYERS = ['policy', 'contract', 'program', 'wire', 'estate'] as const;
const FAST: readonly string[] = ['policy', 'program'];

export interface TestOptions {
  /** Only the layers that need no lab. */
  readonly fast?: boolean;
  readonly only?: string;
  /** Only tests whose title matches. */
  readonly grep?: string;
  /** Leave the tests' lab running, for the next run. */
  readonly keepLab?: boolean;
}

/** `npm test`: every layer; then what failed in any of them, and one line that says what came of all. */
export async function test(context: CommandContext, options: TestOptions): Promise<number> {
  const { projectDir, signal, print, warn } = context;
  const layers = LAYERS.filter((layer) =>
    options.only ? layer === options.only : !options.fast || FAST.includes(layer),
  );
  if (layers.length === 0)
    throw new UserError(`--only ${options.only}: must be one of ${LAYERS.join(', ')}`);
  const { labContext } = await import('../../../test/lab/context');
  // Tests have a lab of their own beside the one of `npm run up`.
  const instance = `${labContext({ projectDir }).instance}-t`;
  const env = { ...context.env, BERTH_INSTANCE: instance };
  let totals = noTests;
  try {
    for (const layer of layers) {
      if (signal.aborted) break;
      totals = addTotals(totals, await runLayer(context, env, layer, options.grep));
    }
  } finally {
    if (!options.keepLab)
      await endLabs(context, instance).catch((error: unknown) => {
        warn(`the tests' lab did not end: ${messageOf(error)}`);
        totals = addTotals(totals, failed("lab: the tests' lab ends", error));
      });
  }
  if (signal.aborted) warn('cancelled');
  else if (totals.passed + totals.failed === 0) warn('no test ran');
  for (const line of failureLines(totals)) print(line);
  print(totalsLine(totals));
  return allWell(totals) && !signal.aborted ? 0 : 1;
}

async function runLayer(
  { projectDir, signal, print }: CommandContext,
  env: NodeJS.ProcessEnv,
  layer: string,
  grep: string | undefined,
): Promise<Totals> {
  const files = testFiles(join(projectDir, 'test', layer));
  if (files.length === 0) {
    print(`\n== ${layer}: no tests yet`);
    return noTests;
  }
  print(`\n== ${layer}`);
  const startedMs = Date.now();
  const scratch = mkdtempSync(join(tmpdir(), 'berth-test-'));
  const written = join(scratch, 'totals');
  writeFileSync(written, '');
  try {
    const mocha = join(projectDir, 'node_modules', 'mocha', 'bin', 'mocha.js');
    const { code } = await runNode(mocha, [...(grep ? ['--grep', grep] : []), ...files], {
      cwd: projectDir,
      env: { ...env, BERTH_TEST_TOTALS: written },
      signal,
      output: 'inherit',
    });
    const totals = totalsOfProcess(layer, readFileSync(written, 'utf8'), code);
    print(`== ${layer}: ${totalsLine(totals)} in ${formatDuration(Date.now() - startedMs)}`);
    return totals;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function testFiles(dir: string): string[] {
  if (!existsSync(dir)) return [];
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .sort()
    .map((name) => join(dir, name));
}

/** Ends the labs that tests started, however they ended: a test that has its own adds to the name of theirs. */
async function endLabs({ projectDir, progress }: CommandContext, instance: string): Promise<void> {
  const folder = join(projectDir, '.berth', 'lab');
  const labs = existsSync(folder)
    ? readdirSync(folder).filter((name) => name === instance || name.startsWith(`${instance}-`))
    : [];
  if (labs.length === 0) return;
  await progress.phase('End of the lab', async (phase) => {
    const { stopLab } = await import('../../../test/lab/index');
    for (const lab of labs)
      await stopLab({ projectDir, instance: lab, reporter: reporterOf(phase) });
  });
}
