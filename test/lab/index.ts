import path from 'node:path';
import { withLock } from './cache';
import { labContext, type LabContext } from './context';
import { engineExists, startEngine, stopEngine } from './engine';
import { labEnv, writeCommands } from './environment';
import { ensureImages } from './images';
import { ensureK3sImage } from './k3s';
import { ensureHostPackages, ensurePrograms } from './programs';
import { currentHostTools } from './programs/host-packages';
import type { Reporter } from './report';
import { stackOverrides } from './stack-overrides';

export { labContext, type LabContext } from './context';
export type { Reporter } from './report';

/** Which lab: by default that of this checkout, see {@link labContext}. */
export interface LabOptions {
  readonly projectDir?: string;
  readonly instance?: string;
  readonly reporter: Reporter;
}

/** A lab that runs. */
export interface Lab {
  readonly ctx: LabContext;
  /** For commands that work in the lab: PATH with its pulumi, plugins, kubectl, helm, docker and buildx first. */
  readonly env: NodeJS.ProcessEnv;
  /** `berth:*` keys to be laid over a stack's own config. */
  stackOverrides(): Record<string, unknown>;
}

/**
 * Starts a lab, or goes on from what is there: a Docker engine with the k3s image, a registry with the images that an
 * estate pulls, an image builder, and a folder of commands.
 * @throws Error saying in its first line what is missing and what brings it, or which log to read
 */
export async function startLab(options: LabOptions): Promise<Lab> {
  const { reporter } = options;
  const ctx = labContext(options);
  return locked(ctx, async () => {
    const tools = await ensureHostPackages(reporter);
    const programs = await ensurePrograms(
      ['pulumi', 'buildkitd', 'kubectl', 'buildx', 'helm'],
      reporter,
    );
    await startEngine(ctx, tools, programs, reporter);
    const overrides = stackOverrides(ctx);
    await Promise.all([
      ensureImages(ctx, reporter),
      ensureK3sImage(ctx, reporter),
      reporter.step('commands and plugins', () => writeCommands(ctx, tools, programs, overrides)),
    ]);
    return { ctx, env: labEnv(ctx), stackOverrides: () => structuredClone(overrides) };
  });
}

/** Ends a lab and removes all that it made; what it built stays in the cache. Does nothing where there is none. */
export async function stopLab(options: LabOptions): Promise<void> {
  const ctx = labContext(options);
  await locked(ctx, async () => {
    if (!engineExists(ctx)) return;
    await stopEngine(ctx, currentHostTools(), options.reporter);
  });
}

/** One start or stop of a lab at a time. The lock lies outside the lab, since a stop removes all that is inside. */
function locked<T>(ctx: LabContext, work: () => Promise<T>): Promise<T> {
  return withLock(path.join(ctx.cacheDir, 'locks', ctx.id), work);
}
