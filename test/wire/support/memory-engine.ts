import { build } from 'esbuild';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { startEngine, type Engine } from './engine';

const PROVIDERS = ['command', 'docker', 'docker-build', 'kubernetes'];

/**
 * The real engine with providers that hold everything in its state and nothing in the world: what a change would do is
 * decided as by the lab's providers, so a whole estate comes up, and is previewed, in seconds.
 * @param driftFile names what was changed by hand since, see `memory-provider/in-memory.ts`.
 */
export const startMemoryEngine = (driftFile = ''): Promise<Engine> =>
  startEngine(addMemoryProviders, { BERTH_MEMORY_DRIFT: driftFile });

/** Puts the providers in memory where the engine looks for them. */
export async function addMemoryProviders(bin: string): Promise<void> {
  const bundle = path.join(bin, 'memory-provider.js');
  await build({
    entryPoints: [path.join(__dirname, 'memory-provider', 'main.ts')],
    bundle: true,
    platform: 'node',
    target: 'node20',
    outfile: bundle,
    logLevel: 'error',
  });
  for (const name of PROVIDERS) {
    const script = `#!/bin/sh\nBERTH_MEMORY_PROVIDER=${name} exec '${process.execPath}' '${bundle}' "$@"\n`;
    await writeFile(path.join(bin, `pulumi-resource-${name}`), script, { mode: 0o755 });
  }
}
