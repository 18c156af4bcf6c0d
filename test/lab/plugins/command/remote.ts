import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { isObject, type Props, type ResourceType } from '../shared';
import { commandResource, lifecycleShape, previousEnv, shown, type Execute } from './lifecycle';
import { runProcess, type ProcessEnd } from '../shared/process';
import { connectionDefaults, connectionSchema, mayPass, withSsh, type Connection } from './ssh';

/** Seconds between two tries to connect: doubles from the first to the second number. */
const RETRY_SECONDS = [1, 20] as const;

// `environment` is left out: the ssh client does not say whether the server took a variable, and the official
// provider fails when it did not. Prefix the command with VAR=value instead.
const schema = z.strictObject({ ...lifecycleShape, connection: connectionSchema });

const execute: Execute = async (command, inputs, previous, context) => {
  const connection = inputs.connection as unknown as Connection;
  const attempt = () =>
    withSsh(connection, (ssh) =>
      runProcess({
        argv: [...ssh, command],
        env: { ...process.env, ...previousEnv(inputs, previous) },
        stdin: typeof inputs.stdin === 'string' ? inputs.stdin : undefined,
        show: shown(inputs),
        onLine: (line) => context.status(line),
        signal: context.signal,
      }),
    );
  let end: ProcessEnd = await attempt();
  let seconds: number = RETRY_SECONDS[0];
  const { dialErrorLimit: limit } = connection;
  for (let tries = 1; mayPass(end.code, end.stderr) && (limit < 0 || tries <= limit); tries++) {
    context.status(`Dial ${tries}/${limit < 0 ? 'inf' : limit} failed: retrying`);
    await wait(seconds * 1000, undefined, { signal: context.signal });
    seconds = Math.min(seconds * 2, RETRY_SECONDS[1]);
    end = await attempt();
  }
  if (end.failure !== undefined) {
    const where = `on ${connection.user}@${connection.host}:${connection.port}`;
    const what = JSON.stringify(command);
    throw new Error(`${end.failure}: running ${what} ${where}:\n${end.combined}`);
  }
  return { stdout: end.stdout, stderr: end.stderr };
};

/** `command:remote:Command`, over the system's ssh client. The whole connection is secret. */
export const remoteCommand: ResourceType = commandResource({
  schema,
  execute,
  secrets: ['connection'],
  complete(inputs: Props): Props {
    const { connection } = inputs;
    if (!isObject(connection)) return inputs;
    return { ...inputs, connection: { ...connectionDefaults, ...connection } };
  },
});
