import { spawn } from 'node:child_process';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { engineEnv, prepareStack } from '../../runtime/cli/project';
import { runCommand } from '../../runtime/cli/run-command';
import { refreshOutputs } from '../../runtime/cli/stack-outputs';
import { stackFolder, type StackFolder } from '../../runtime/cli/stack-folder';
import { messageOf, UserError } from '../../runtime/cli/user-error';
import type { ShimSettings } from './project';
import { projectAbove, readPulumiArgs } from './pulumi-args';

/** Commands of the engine that are about no stack. */
const STACKLESS = new Set(['version', 'help', 'about', 'plugin', 'gen-completion', 'whoami']);

/** After these the stack's outputs may be others. */
const CHANGES_OUTPUTS = new Set(['up', 'update', 'destroy', 'down', 'refresh']);

async function main(args: string[]): Promise<number> {
  const settings = JSON.parse(
    readFileSync(join(__dirname, 'settings.json'), 'utf8'),
  ) as ShimSettings;
  const { pulumi, projectDir } = settings;
  const call = readPulumiArgs(args);
  const here = projectAbove(process.cwd()) === realpathSync(projectDir);
  if (!here || call.elsewhere || call.help || !call.command || STACKLESS.has(call.command))
    return run(pulumi, args, process.env);
  if (call.command === 'config' && (call.subcommand === 'set' || call.subcommand === 'rm'))
    refusePlainConfig(args);

  const stack = call.stack ?? process.env.PULUMI_STACK ?? process.env.BERTH_STACK ?? 'dev';
  const folder = stackFolder(projectDir, stack);
  const env = { ...engineEnv(folder, process.env), PULUMI_STACK: stack };
  const engine = { pulumi, env };
  const configured = existsSync(join(projectDir, `Pulumi.${stack}.yaml`));
  // `pulumi stack rm` of a stack that is gone must not bring it back.
  if (configured && call.command !== 'stack')
    await prepareStack(folder, engine, overridesOf(settings), runCommand);
  const code = await run(pulumi, ['-C', folder.project, ...args], env);
  if (CHANGES_OUTPUTS.has(call.command)) await keepOutputs(folder, engine);
  return code;
}

/** The shell may have been given newer overrides than those of the time when this shim was written. */
function overridesOf(settings: ShimSettings): Readonly<Record<string, unknown>> {
  const newer = process.env.BERTH_STACK_OVERRIDES;
  return newer ? (JSON.parse(newer) as Record<string, unknown>) : settings.overrides;
}

function refusePlainConfig(args: readonly string[]): void {
  if (args.includes('--secret')) return;
  throw new UserError(
    'the lab generates its config from Pulumi.<stack>.yaml before each run: edit that file (or use --secret)',
  );
}

/** So that `npm run status` and kubectl see what a plain `pulumi up` made. */
async function keepOutputs(
  folder: StackFolder,
  engine: Parameters<typeof refreshOutputs>[1],
): Promise<void> {
  await refreshOutputs(folder, engine, runCommand).catch((error: unknown) =>
    process.stderr.write(`the stack's outputs could not be kept: ${messageOf(error)}\n`),
  );
}

/** Runs the engine in this process's place: its terminal, its signals, its exit code. */
function run(pulumi: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(pulumi, args, { env, stdio: 'inherit' });
    // Ctrl-C reaches the engine from the terminal itself; a second one from here would make it stop at once.
    process.on('SIGINT', () => undefined);
    for (const signal of ['SIGTERM', 'SIGHUP'] as const)
      process.on(signal, () => child.kill(signal));
    child.on('error', reject);
    child.on('close', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 143)));
  });
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`error: ${messageOf(error)}\n`);
    process.exitCode = 1;
  },
);
