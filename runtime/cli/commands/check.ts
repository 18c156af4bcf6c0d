import { join } from 'node:path';
import { runNode } from '../children';
import type { CommandContext } from '../command-context';
import { UserError } from '../user-error';

/** What must hold of the source: the script that checks it, and its arguments. */
const CHECKS: readonly { title: string; script: string; args: readonly string[] }[] = [
  { title: 'types', script: 'typescript/bin/tsc', args: ['--noEmit', '--pretty', 'false'] },
  { title: 'lint', script: 'eslint/bin/eslint.js', args: ['.', '--max-warnings', '0'] },
  { title: 'format', script: 'prettier/bin/prettier.cjs', args: ['--check', '.'] },
];

/** `npm run check`: types, lint and format, side by side. */
export async function check(context: CommandContext): Promise<number> {
  const { projectDir, env, signal, print, progress } = context;
  const failed: string[] = [];
  const checks = progress.phase('Check', async (phase) => {
    const runs = CHECKS.map(async ({ title, script, args }) => {
      const item = phase.begin(title);
      const file = join(projectDir, 'node_modules', script);
      const { code, output } = await runNode(file, args, {
        cwd: projectDir,
        env,
        signal,
        output: 'pipe',
      });
      if (code === 0) return item.done();
      item.failed();
      failed.push(`${title}:\n${output.trim()}`);
    });
    await Promise.all(runs);
    signal.throwIfAborted();
    if (failed.length > 0)
      throw new UserError(`${failed.length} of ${CHECKS.length} checks failed`);
  });
  await checks.catch((error: unknown) => {
    if (signal.aborted || failed.length === 0) throw error;
  });
  for (const text of failed) print(`\n${text}`);
  return failed.length === 0 ? 0 : 1;
}
