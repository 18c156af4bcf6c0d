import { z } from 'zod';
import type { CallContext, Props, ResourceType } from '../shared';
import { schemaFailures } from '../shared/input-schema';
import { commandResource, lifecycleShape, previousEnv, shown, type Execute } from './lifecycle';
import { runProcess } from '../shared/process';

// assetPaths and archivePaths are left out: the schema refuses them by name.
const placeShape = {
  interpreter: z.array(z.string()).optional(),
  dir: z.string().optional(),
  environment: z.record(z.string(), z.string()).optional(),
};

const runSchema = z.strictObject({
  ...placeShape,
  command: z.string(),
  stdin: lifecycleShape.stdin,
  logging: lifecycleShape.logging,
  addPreviousOutputInEnv: lifecycleShape.addPreviousOutputInEnv,
});

const execute: Execute = async (command, inputs, previous, context) => {
  const interpreter = inputs.interpreter as string[] | undefined;
  const end = await runProcess({
    argv: [...(interpreter?.length ? interpreter : ['/bin/sh', '-c']), command],
    cwd: typeof inputs.dir === 'string' ? inputs.dir : undefined,
    env: {
      ...process.env,
      ...(inputs.environment as Record<string, string> | undefined),
      ...previousEnv(inputs, previous),
    },
    stdin: typeof inputs.stdin === 'string' ? inputs.stdin : undefined,
    show: shown(inputs),
    onLine: (line) => context.status(line),
    signal: context.signal,
  });
  if (end.failure !== undefined) {
    throw new Error(`${end.failure}: running ${JSON.stringify(command)}:\n${end.combined}`);
  }
  return { stdout: end.stdout, stderr: end.stderr };
};

/** `command:local:Command`. */
export const localCommand: ResourceType = commandResource({
  schema: z.strictObject({ ...lifecycleShape, ...placeShape }),
  execute,
});

/** `command:local:run`: runs a command on every preview and update. */
export async function localRun(args: Props, context: CallContext): Promise<Props> {
  const [failure] = schemaFailures(runSchema, args, 'command:local:run');
  if (failure) throw new Error(`${failure.property}: ${failure.reason}`);
  const nothing = { stdout: '', stderr: '' };
  return { ...args, ...(await execute(args.command as string, args, nothing, context)) };
}
