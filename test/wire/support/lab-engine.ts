import { mkdtemp, mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { labContext, type LabContext } from '../../lab/context';
import { downloadPackages, unpackPackages } from '../../lab/debian';
import * as lab from '../../lab/engine';
import { buildxConfigDir, dockerConfigDir } from '../../lab/engine/buildkit';
import { docker } from '../../lab/engine/docker';
import { run } from '../../lab/exec';
import { ensureHostPackages, ensurePrograms } from '../../lab/programs';
import { consoleReporter } from '../../lab/report';

/** A Docker engine, registry and image builder of a test's own. */
export interface LabEngine {
  ctx: LabContext;
  /** What makes docker and buildx use it. */
  env: Record<string, string>;
  /** Runs the Docker command line and gives what it printed, without the last newline. */
  docker(...args: string[]): Promise<string>;
  /** Gives the engine an image that holds a shell and nothing else. */
  importShellImage(name: string): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a lab's engine beside any that the user has: its instance ends in `-w`. */
export async function startLabEngine(): Promise<LabEngine> {
  const reporter = consoleReporter();
  const ctx = labContext({ instance: `${labContext().instance}-w` });
  const tools = await ensureHostPackages(reporter);
  const programs = await ensurePrograms(['buildx', 'buildkitd'], reporter);
  await lab.stopEngine(ctx, tools, reporter);
  await lab.startEngine(ctx, tools, programs, reporter);
  const env = {
    PATH: `${path.dirname(programs.buildx)}:${process.env.PATH}`,
    DOCKER_HOST: ctx.dockerHost,
    DOCKER_CONFIG: dockerConfigDir(ctx),
    BUILDX_CONFIG: buildxConfigDir(ctx),
  };
  return {
    ctx,
    env,
    docker: async (...args) => (await docker(ctx, tools, args)).trimEnd(),
    importShellImage: async (name) => {
      const folder = await mkdtemp(path.join(tmpdir(), 'berth-shell-'));
      try {
        const arch = process.arch === 'arm64' ? 'arm64' : 'amd64';
        const files = await downloadPackages(arch, ['busybox-static'], () => undefined);
        const unpacked = path.join(folder, 'unpacked');
        await unpackPackages(files, unpacked);
        const bin = path.join(folder, 'root', 'bin');
        await mkdir(bin, { recursive: true });
        await run('cp', [path.join(unpacked, 'bin', 'busybox'), path.join(bin, 'busybox')]);
        for (const applet of ['sh', 'cat', 'sleep', 'echo', 'ls', 'stat', 'env', 'test']) {
          await run('ln', ['-s', 'busybox', path.join(bin, applet)]);
        }
        const tar = path.join(folder, 'image.tar');
        await run('tar', ['-C', path.join(folder, 'root'), '-cf', tar, '.']);
        await docker(ctx, tools, ['import', tar, name]);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
    stop: () => lab.stopEngine(ctx, tools, reporter),
  };
}
