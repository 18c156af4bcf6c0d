import path from 'node:path';
import { withLock } from './cache';
import { chartFolder } from './charts/assembled';
import { writeKedaChart } from './charts/keda';
import { writeMetricsServerChart } from './charts/metrics-server';
import { writeTraefikChart } from './charts/traefik';
import { labContext, type LabContext } from './context';
import { engineExists, startEngine, stopEngine } from './engine';
import { labEnv, writeCommands } from './environment';
import { prepareImages, pushImages } from './images';
import { ensureK3sImage } from './k3s';
import { ensureParts } from './k3s/parts';
import { ensureHostPackages, ensurePrograms, type ProgramName } from './programs';
import { requireGo } from './programs/build';
import { currentHostTools, requireHost } from './programs/host-packages';
import type { Reporter } from './report';
import { stackOverrides } from './stack-overrides';

export { labContext, type LabContext } from './context';
export type { Reporter } from './report';

/** All that a lab is made of, what takes longest to build first. */
const ALL_PROGRAMS = [
  ...(['kube-apiserver', 'kubelet', 'kube-controller-manager', 'kube-scheduler'] as const),
  ...(['keda', 'kube-proxy', 'kubectl', 'pulumi', 'prometheus'] as const),
  ...(['buildkitd', 'coredns', 'buildx', 'metrics-server', 'kube-state-metrics', 'helm'] as const),
  ...(['containerd', 'containerd-shim-runc-v2', 'ctr', 'pause'] as const),
] satisfies ProgramName[];

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
    // What cannot work here is said before anything is built.
    await Promise.all([requireHost(), requireGo(ALL_PROGRAMS)]);
    const [tools, programs, images] = await Promise.all([
      ensureHostPackages(reporter),
      ensurePrograms(ALL_PROGRAMS, reporter),
      prepareImages(reporter),
      ensureParts(reporter),
    ]);
    await startEngine(ctx, tools, programs, reporter);
    const overrides = stackOverrides(ctx);
    await Promise.all([
      pushImages(ctx, images, reporter),
      ensureK3sImage(ctx, reporter),
      reporter.step('chart of KEDA', () => writeKedaChart(chartFolder(ctx, 'keda'))),
      reporter.step('chart of Traefik', () => writeTraefikChart(chartFolder(ctx, 'traefik'))),
      reporter.step('chart of metrics-server', () =>
        writeMetricsServerChart(chartFolder(ctx, 'metrics-server')),
      ),
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
