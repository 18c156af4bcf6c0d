import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { SshHost } from '../../../components/config-schema';
import { asRoot } from '../../../components/hosts/ssh/shell';
import { messageOf, UserError } from '../user-error';

const CONNECT_SECONDS = 15;
/** Lines of what a script said that are shown when it fails. */
const SHOWN_LINES = 5;

export interface HostRun {
  readonly host: SshHost;
  /** Private key file; ssh's own keys and agent without. */
  readonly identity?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs a script as root on a host over `ssh`, with the host key that the configuration pins, and gives what it writes to
 * standard output as it comes. It ends with an error unless the script ends well.
 * @param input for the script's standard input.
 */
export async function* onHost(
  { host, identity, signal }: HostRun,
  script: string,
  input?: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'berth-ssh-'));
  try {
    const known = join(folder, 'known_hosts');
    await writeFile(known, `${knownHost(host)}\n`, { mode: 0o600 });
    const child = spawn('ssh', sshArgs(host, known, identity, script), {
      ...(signal ? { signal } : {}),
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said = `${said}${chunk}`.slice(-10_000)));
    const ended = new Promise<void>((resolve, reject) => {
      child.on('error', (error: NodeJS.ErrnoException) =>
        reject(
          error.code === 'ENOENT'
            ? new UserError('ssh is not installed: apt-get install openssh-client')
            : error,
        ),
      );
      child.on('close', (code) => {
        const lines = said.trim().split('\n').slice(-SHOWN_LINES).join('\n  ');
        if (code === 0) resolve();
        else reject(new UserError(`host ${host.name}: ${lines || `ssh ended with ${code}`}`));
      });
    });
    ended.catch(() => undefined); // It is awaited below.
    // A script that fails reads no further, and says itself why.
    const sent = input
      ? pipeline(Readable.from(input), child.stdin).catch((error: unknown) => messageOf(error))
      : Promise.resolve(void child.stdin.end());
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) yield chunk;
    await ended;
    const unsent = await sent;
    if (unsent !== undefined) throw new UserError(`host ${host.name}: ${unsent}`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The line of a `known_hosts` file that pins a host's key. */
export const knownHost = ({ address, port, hostKey }: SshHost): string =>
  `${port === 22 ? address : `[${address}]:${port}`} ${hostKey}`;

/** Arguments of `ssh`. None of them is secret. */
export const sshArgs = (
  { address, port, user }: SshHost,
  knownHosts: string,
  identity: string | undefined,
  script: string,
): string[] => [
  ...['-o', 'BatchMode=yes', '-o', `ConnectTimeout=${CONNECT_SECONDS}`],
  ...['-o', 'StrictHostKeyChecking=yes', '-o', `UserKnownHostsFile=${knownHosts}`],
  ...['-o', 'GlobalKnownHostsFile=/dev/null', '-o', 'LogLevel=ERROR'],
  ...(identity === undefined ? [] : ['-o', 'IdentitiesOnly=yes', '-i', identity]),
  ...['-p', String(port), '-l', user, '--', address, asRoot(user, script)],
];
