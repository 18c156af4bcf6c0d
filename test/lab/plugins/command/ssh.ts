import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';

/** How to reach a host. Passwords, encrypted keys and bastions are not implemented, hence refused by name. */
export const connectionSchema = z.strictObject({
  host: z.string().min(1),
  user: z.string().optional(),
  port: z.number().int().min(1).max(65535).optional(),
  privateKey: z.string().optional(),
  agentSocketPath: z.string().optional(),
  dialErrorLimit: z.number().int().min(-1).optional(),
  perDialTimeout: z.number().int().min(0).optional(),
  hostKey: z
    .string()
    .regex(/^(ssh|ecdsa|sk)-\S+ [A-Za-z0-9+/=]+/, 'is not a public key such as "ssh-ed25519 AAAA…"')
    .optional(),
});

/** A checked connection, with the defaults that the official provider fills in. */
export type Connection = z.infer<typeof connectionSchema> &
  Required<
    Pick<z.infer<typeof connectionSchema>, 'user' | 'port' | 'dialErrorLimit' | 'perDialTimeout'>
  >;

/** The defaults of a connection; `perDialTimeout` is in seconds. */
export const connectionDefaults = {
  user: 'root',
  port: 22,
  dialErrorLimit: 10,
  perDialTimeout: 15,
};

/** The name that stands for the host in the known-hosts file. */
const ALIAS = 'host';

/**
 * Calls `use` with the arguments for `ssh` that reach the host, before the command. The private key and the pinned
 * host key lie in a folder that only this user can read and that is removed afterwards.
 */
export async function withSsh<T>(
  connection: Connection,
  use: (argv: string[]) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'berth-ssh-'));
  try {
    const { privateKey, hostKey } = connection;
    const keyFile = join(folder, 'key');
    const knownHosts = join(folder, 'known_hosts');
    if (privateKey !== undefined) {
      await writeFile(keyFile, `${privateKey.trimEnd()}\n`, { mode: 0o600 });
    }
    await writeFile(knownHosts, hostKey === undefined ? '' : `${ALIAS} ${hostKey}\n`);
    return await use([
      'ssh',
      '-T',
      ...options(connection, privateKey === undefined ? undefined : keyFile, knownHosts),
      '--',
      connection.host,
    ]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function options(
  connection: Connection,
  keyFile: string | undefined,
  knownHosts: string,
): string[] {
  const { hostKey, agentSocketPath } = connection;
  const agent = agentSocketPath ?? process.env.SSH_AUTH_SOCK;
  const values: Record<string, string> = {
    BatchMode: 'yes',
    LogLevel: 'ERROR',
    User: connection.user,
    Port: String(connection.port),
    ConnectTimeout: String(connection.perDialTimeout),
    GlobalKnownHostsFile: '/dev/null',
    UserKnownHostsFile: knownHosts,
    HostKeyAlias: ALIAS,
    // As the official provider: a pinned key is the only one, without one any is taken.
    StrictHostKeyChecking: hostKey === undefined ? 'no' : 'yes',
    IdentityAgent: agent === undefined ? 'none' : agent,
    IdentitiesOnly: keyFile === undefined ? 'no' : 'yes',
    SendEnv: 'PULUMI_COMMAND_STDOUT PULUMI_COMMAND_STDERR',
  };
  const type = hostKey?.split(' ')[0];
  if (type !== undefined) {
    values.HostKeyAlgorithms = type === 'ssh-rsa' ? 'rsa-sha2-512,rsa-sha2-256,ssh-rsa' : type;
  }
  return [
    '-F',
    '/dev/null',
    ...(keyFile === undefined ? [] : ['-i', keyFile]),
    ...Object.entries(values).flatMap(([name, value]) => ['-o', `${name}=${value}`]),
  ];
}

/** Whether `ssh` gave up before the command ran for a reason that may pass, as a host that is still starting. */
export function mayPass(code: number | null, stderr: string): boolean {
  return (
    code === 255 &&
    /^ssh: (connect to host|Could not resolve)|kex_exchange_identification|Connection (closed|reset|timed out)/m.test(
      stderr,
    )
  );
}
