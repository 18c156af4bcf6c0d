import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const execFileAsync = promisify(execFile);

/**
 * Runs a program to its end.
 * @returns its stdout.
 * @throws Error with the command and its stderr when it fails.
 */
export async function run(
  command: string,
  args: readonly string[],
  input?: string,
): Promise<string> {
  try {
    const running = execFileAsync(command, args, { encoding: 'utf8', maxBuffer: 16 * 1024 * 1024 });
    if (input !== undefined) running.child.stdin?.end(input);
    return (await running).stdout;
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    throw new Error(`${command} ${args.join(' ')}: ${stderr?.trim() || String(error)}`);
  }
}
