import { spawn } from 'node:child_process';
import type { CommandContext, CommonOptions } from '../command-context';
import { reporterOf } from '../progress';

/** `npm run lab:shell`: a shell, or one command, in which `pulumi`, `kubectl`, `helm` and `docker` are the lab's. */
export async function labShell(
  context: CommandContext,
  options: CommonOptions,
  command: readonly string[],
): Promise<number> {
  const { folder, progress, warn } = context;
  const lab = await progress.phase('Lab', async (phase) => {
    const { startLab } = await import('../../../test/lab/index');
    return startLab({ projectDir: context.projectDir, reporter: reporterOf(phase) });
  });
  context.signal.throwIfAborted();
  const env: NodeJS.ProcessEnv = {
    ...lab.env,
    BERTH_LAB: 'always',
    BERTH_STACK: options.stack,
    BERTH_STACK_OVERRIDES: JSON.stringify(lab.stackOverrides()),
    KUBECONFIG: folder.kubeconfig,
  };
  const [file = context.env.SHELL || '/bin/sh', ...args] = command;
  if (command.length === 0)
    warn(
      `pulumi up -s ${options.stack} works here; "exit" leaves the lab running, npm run down ends it`,
    );
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd: context.projectDir, env, stdio: 'inherit' });
    // The terminal sends Ctrl-C to the shell itself; what arrives here otherwise is passed on.
    context.signal.addEventListener('abort', () => child.kill('SIGTERM'));
    child.on('error', (error) => reject(new Error(`${file}: ${error.message}`)));
    child.on('close', (code) => resolve(code ?? 1));
  });
}
