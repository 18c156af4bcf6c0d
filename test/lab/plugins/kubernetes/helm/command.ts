import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Session } from '../session';

/** A `helm` command with the cluster's credentials, which lie in a private folder only while it runs. */
export interface Helm {
  /** Runs `helm` and returns what it printed. @throws HelmError */
  (...args: string[]): Promise<string>;
  /** Writes a private file, for example of values, and returns its path. */
  file(name: string, content: string): Promise<string>;
}

export class HelmError extends Error {
  constructor(
    readonly command: string,
    /** What helm said, without its `Error: `. */
    readonly reason: string,
  ) {
    super(`helm ${command}: ${reason}`);
  }
}

/** Gives `use` a helm for the session's cluster and one namespace. */
export async function withHelm<T>(
  session: Session,
  namespace: string,
  signal: AbortSignal,
  use: (helm: Helm) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'berth-helm-'));
  const file = async (name: string, content: string) => {
    const path = join(folder, name);
    await writeFile(path, content, { mode: 0o600 });
    return path;
  };
  try {
    const kubeconfig = await file(
      'kubeconfig',
      (await session.cluster()).kubeconfig.exportConfig(),
    );
    const run = (...args: string[]) =>
      runHelm([...args, '--kubeconfig', kubeconfig, '--namespace', namespace], signal);
    return await use(Object.assign(run, { file }));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function runHelm(args: string[], signal: AbortSignal): Promise<string> {
  const options = { maxBuffer: 256 * 2 ** 20, env: withoutKubeconfig() };
  return new Promise((resolve, reject) => {
    const child = execFile('helm', args, options, (error, stdout, stderr) => {
      signal.removeEventListener('abort', interrupt);
      if (!error) return resolve(stdout);
      const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
      const reason = missing ? 'the helm program is not on PATH' : stderr.trim() || error.message;
      reject(new HelmError(args[0] ?? '', reason.replace(/^(WARNING:.*\n)*Error: /, '')));
    });
    // Helm ends an install or upgrade in an orderly way when it is interrupted, and marks the release as failed.
    const interrupt = () => child.kill('SIGINT');
    signal.addEventListener('abort', interrupt, { once: true });
  });
}

function withoutKubeconfig(): NodeJS.ProcessEnv {
  const env = { ...process.env };
  delete env.KUBECONFIG;
  return env;
}
