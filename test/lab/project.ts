import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleForLab } from './bundle-for-lab';

export { generateProject } from '../../runtime/cli/project';

/** What the shim is told when it is written; it reads this file when it runs. */
export interface ShimSettings {
  /** The real engine. */
  readonly pulumi: string;
  readonly projectDir: string;
  /** Config keys to lay over the stack's own. */
  readonly overrides: Readonly<Record<string, unknown>>;
}

/** The environment variable that holds the overrides as JSON where a shell was given newer ones. */
export const OVERRIDES_ENV = 'BERTH_STACK_OVERRIDES';

/**
 * Writes the `pulumi` that the lab has on PATH: within the project it generates the stack's lab project and runs the
 * real engine on it, so that plain `pulumi up -s dev` works there; anywhere else it is the real engine.
 * @param binDir folder on the lab's PATH.
 * @param realPulumi the engine's executable.
 * @param overrides what the lab lays over every stack's config.
 */
export function writePulumiShim(
  binDir: string,
  realPulumi: string,
  projectDir: string,
  overrides: Readonly<Record<string, unknown>> = {},
): void {
  const home = join(binDir, '..', 'pulumi-shim');
  for (const dir of [binDir, home]) mkdirSync(dir, { recursive: true });
  const settings: ShimSettings = { pulumi: realPulumi, projectDir, overrides };
  writeFileSync(join(home, 'settings.json'), JSON.stringify(settings, null, 2));
  writeFileSync(join(home, 'main.js'), bundleForLab(join(__dirname, 'pulumi-shim.ts')));
  const quoted = (path: string) => `'${path.replaceAll("'", `'\\''`)}'`;
  writeFileSync(
    join(binDir, 'pulumi'),
    `#!/bin/sh\nexec ${quoted(process.execPath)} ${quoted(join(home, 'main.js'))} "$@"\n`,
    { mode: 0o755 },
  );
}
