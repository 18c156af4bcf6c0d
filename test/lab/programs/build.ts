import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import pRetry from 'p-retry';
import { contentKey } from '../cache';
import { CommandError, run } from '../exec';
import { MODULES_DIR, type ProgramGroup } from './table';

/** Kept apart from what the user set for their own work: a stray GOFLAGS or workspace would change what is built. */
const GO_ENV = { CGO_ENABLED: '0', GOFLAGS: '', GOWORK: 'off', GOOS: 'linux', GOARCH: undefined };

/** How Go words a download that failed on its way, and not for good. */
const NETWORK_ERROR =
  /dial tcp|i\/o timeout|TLS handshake timeout|connection reset|connection refused|unexpected EOF|: EOF$|: (429|5\d\d) |stream error|no such host|temporary failure/im;

let goVersion: Promise<string> | undefined;

/**
 * The version of Go that builds the programs.
 * @throws Error in one line saying what is missing, why, and what brings it
 */
export function requireGo(programs: readonly string[]): Promise<string> {
  goVersion ??= readGoVersion(programs);
  return goVersion;
}

async function readGoVersion(programs: readonly string[]): Promise<string> {
  const needed = await neededGo();
  const advice = `the lab builds ${programs.join(', ')} from source: install Go ${needed} or newer (https://go.dev/dl) and put it on PATH`;
  try {
    // Run inside the module that asks for most, so that a Go that may fetch its own newer toolchain does so.
    const { stdout } = await run('go', ['env', 'GOVERSION'], {
      cwd: path.join(MODULES_DIR, 'buildkit'),
      env: GO_ENV,
    });
    const version = stdout.trim().replace(/^go/, '');
    if (!isAtLeast(version, needed)) throw new Error(`Go ${version} is too old: ${advice}`);
    return version;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new Error(
      error.code === 'ENOENT'
        ? `Go is missing: ${advice}`
        : `this Go does not do (${error.output.stderr.trim().split('\n')[0] ?? ''}): ${advice}`,
      { cause: error },
    );
  }
}

/** The `go` line of the module that asks for the newest Go. */
async function neededGo(): Promise<string> {
  const text = await readFile(path.join(MODULES_DIR, 'buildkit', 'go.mod'), 'utf8');
  return /^go (\S+)$/m.exec(text)?.[1] ?? '1.26.0';
}

function isAtLeast(version: string, needed: string): boolean {
  const numbers = (text: string) => text.split('.').map((part) => Number.parseInt(part, 10) || 0);
  const have = numbers(version);
  const want = numbers(needed);
  const first = [0, 1, 2].find((index) => have[index] !== want[index]);
  return first === undefined || (have[first] ?? 0) > (want[first] ?? 0);
}

/** Changes when anything changes that goes into a group's programs: pins, sources, flags, Go itself. */
export async function groupKey(group: ProgramGroup): Promise<string> {
  const folder = path.join(MODULES_DIR, group.module);
  const parts: (string | Buffer)[] = [process.arch, await requireGo(Object.keys(group.programs))];
  for (const file of (await readdir(folder)).sort()) {
    parts.push(file, await readFile(path.join(folder, file)));
  }
  parts.push(...buildFlags(group));
  return contentKey(...parts);
}

function buildFlags(group: ProgramGroup): string[] {
  const set = Object.entries(group.set ?? {}).map(([name, value]) => `-X ${name}=${value}`);
  return [
    '-mod=readonly',
    '-buildvcs=false',
    '-trimpath',
    `-tags=${(group.tags ?? []).join(',')}`,
    `-ldflags=${['-s', '-w', ...set].join(' ')}`,
  ];
}

/** Builds some of a group's programs into a folder, under the names that Go gives them. */
export async function buildGroup(
  group: ProgramGroup,
  names: readonly string[],
  output: string,
  detail: (text: string) => void,
): Promise<void> {
  const packages = names.map((name) => group.programs[name] ?? name);
  let downloads = 0;
  let compiled = 0;
  const build = () =>
    // -v names each package as it is compiled: the only sign of progress that Go gives.
    run('go', ['build', '-v', ...buildFlags(group), '-o', `${output}/`, ...packages], {
      cwd: path.join(MODULES_DIR, group.module),
      env: GO_ENV,
      onLine: (line) => {
        if (line.startsWith('go: downloading ')) {
          detail(`${(downloads += 1)} modules fetched`);
        } else if (/^[\w.-]+(\/[\w.~-]+)*$/.test(line)) {
          detail(`${(compiled += 1)} packages compiled`);
        }
      },
    });
  // Hundreds of modules come over the network: what has come stays, so a build that was cut off goes on.
  await pRetry(build, {
    retries: 3,
    minTimeout: 5_000,
    shouldRetry: ({ error }) =>
      error instanceof CommandError && NETWORK_ERROR.test(error.output.stderr),
    onFailedAttempt: () => detail('the network failed: again'),
  });
}

/** Folder with the sources of a Go module, at the version that a group pins; fetched if this machine lacks it. */
export async function moduleFolder(
  group: Pick<ProgramGroup, 'module'>,
  module: string,
): Promise<string> {
  const cwd = path.join(MODULES_DIR, group.module);
  const { stdout } = await run('go', ['mod', 'download', '-json', module], { cwd, env: GO_ENV });
  return (JSON.parse(stdout) as { Dir: string }).Dir;
}
