import { cp, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parse, stringify } from 'yaml';

const projectDirectory = resolve(__dirname, '..', '..', '..');

/** What a command printed and how it ended. */
export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  /** Output and errors in the order in which they came. */
  readonly all: string;
}

/** A copy of this checkout, in which the commands of the README are typed as a user would. */
export interface Checkout {
  readonly directory: string;
  /** Runs `npm run NAME -- ARGS`; its output is shown as it comes. */
  npm(
    name: string,
    args?: readonly string[],
    options?: { expectExit?: number },
  ): Promise<CommandResult>;
  /** Changes the configuration of the dev stack; the function gets the values below `config`. */
  configure(change: (config: Record<string, never>) => void): Promise<void>;
  remove(): Promise<void>;
}

/** Copies what git knows or would add; the installed packages are shared. */
async function copyCheckout(directory: string): Promise<void> {
  // Something below execa exports only to `import`, so it cannot be required.
  const { execa } = await import('execa');
  const listed = await execa('git', ['ls-files', '-co', '--exclude-standard', '-z'], {
    cwd: projectDirectory,
  });
  for (const file of new Set(listed.stdout.split('\0').filter((name) => name !== ''))) {
    const target = join(directory, file);
    await mkdir(dirname(target), { recursive: true });
    await cp(join(projectDirectory, file), target).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error; // deleted and not yet committed
    });
  }
  await symlink(join(projectDirectory, 'node_modules'), join(directory, 'node_modules'));
}

/**
 * Makes a copy of this checkout, or takes the one that BERTH_ESTATE_CHECKOUT names, so that a test can be written
 * against an estate that is up.
 */
export async function makeCheckout(show: (line: string) => void): Promise<Checkout> {
  const { execa } = await import('execa');
  const given = process.env.BERTH_ESTATE_CHECKOUT;
  const directory = given ?? (await realpath(await mkdtemp(join(tmpdir(), 'berth-'))));
  if (given === undefined) await copyCheckout(directory);
  return {
    directory,
    async npm(name, args = [], options = {}) {
      show(`$ npm run ${name} ${args.join(' ')}`);
      const child = execa('npm', ['run', '--silent', name, '--', ...args], {
        cwd: directory,
        env: { CI: 'true', BERTH_LAB: 'always', BERTH_INSTANCE: undefined },
        all: true,
        reject: false,
        stdin: 'ignore',
      });
      void (async () => {
        for await (const line of child.iterable({ from: 'all' })) show(String(line));
      })().catch(() => undefined);
      const result = await child;
      const exitCode = result.exitCode ?? -1;
      const expected = options.expectExit ?? 0;
      if (exitCode !== expected)
        throw new Error(`npm run ${name} ended with ${exitCode}, not ${expected}:\n${result.all}`);
      return { exitCode, stdout: result.stdout, all: result.all };
    },
    async configure(change) {
      const file = join(directory, 'Pulumi.dev.yaml');
      const document = parse(await readFile(file, 'utf8')) as { config: Record<string, never> };
      change(document.config);
      await writeFile(file, stringify(document));
    },
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}
