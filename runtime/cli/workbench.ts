import { accessSync, constants, mkdirSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { reporterOf, type Phase } from './progress';
import { engineEnv, type Engine } from './project';
import type { StackFolder } from './stack-folder';
import { UserError } from './user-error';

/** What a stack is worked on with: the machine's own tools, or the lab's. */
export interface Workbench extends Engine {
  readonly kind: 'own' | 'lab';
  /** Config keys laid over the stack's own; none outside the lab. */
  readonly overrides: Readonly<Record<string, unknown>>;
}

/**
 * Which tools to use: the machine's own where there is a `pulumi` on PATH, unless BERTH_LAB is `always`; else the lab.
 * @throws UserError for another value of BERTH_LAB than `always`, `never` and `auto`, and where `never` finds nothing.
 */
export function chooseWorkbench(env: NodeJS.ProcessEnv): 'own' | 'lab' {
  const choice = env.BERTH_LAB || 'auto';
  if (!['auto', 'always', 'never'].includes(choice))
    throw new UserError(`BERTH_LAB=${choice}: must be auto, always or never`);
  if (choice === 'always') return 'lab';
  if (findOnPath('pulumi', env) !== undefined) return 'own';
  if (choice === 'auto') return 'lab';
  throw new UserError(
    'BERTH_LAB is never, and there is no pulumi on PATH: install it, or unset it',
  );
}

/** Makes the tools ready: starts the lab, or goes on with the one that runs. */
export async function openWorkbench(
  folder: StackFolder,
  base: NodeJS.ProcessEnv,
  phase: Phase,
): Promise<Workbench> {
  if (chooseWorkbench(base) === 'own') {
    const pulumi = findOnPath('pulumi', base) ?? 'pulumi';
    phase.line(`with the machine's own ${pulumi}`);
    const env = engineEnv(folder, base, { ownBackend: true });
    return { kind: 'own', pulumi, env, overrides: {} };
  }
  const { startLab } = await import('../../test/lab/index');
  const { ensurePrograms } = await import('../../test/lab/programs/index');
  const reporter = reporterOf(phase);
  const lab = await startLab({ projectDir: folder.projectDir, reporter });
  const { pulumi } = await ensurePrograms(['pulumi'], reporter);
  const env = engineEnv(folder, lab.env);
  return { kind: 'lab', pulumi, env, overrides: lab.stackOverrides() };
}

/** The first executable of that name on an environment's PATH. */
export function findOnPath(name: string, env: NodeJS.ProcessEnv): string | undefined {
  for (const dir of (env.PATH ?? '').split(delimiter)) {
    if (!isAbsolute(dir)) continue;
    try {
      accessSync(join(dir, name), constants.X_OK);
      return join(dir, name);
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}

/** A folder whose `bin/pulumi` is the engine, which is how the Automation API is told of one. */
export function engineHome(folder: StackFolder, pulumi: string): string {
  const home = join(folder.root, 'engine');
  const link = join(home, 'bin', 'pulumi');
  mkdirSync(join(home, 'bin'), { recursive: true });
  rmSync(link, { force: true });
  symlinkSync(realpathSync(pulumi), link);
  return home;
}
