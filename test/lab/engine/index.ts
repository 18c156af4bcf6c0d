import { existsSync } from 'node:fs';
import { mkdir, rm, rmdir, statfs } from 'node:fs/promises';
import path from 'node:path';
import type { LabContext } from '../context';
import type { HostTools } from '../programs/host-packages';
import type { Reporter } from '../report';
import { buildkitDaemon, ensureBuilder } from './buildkit';
import { killAll, removeCgroups, removeFolder, shimSockets, unmountBelow } from './cleanup';
import { ensureDaemon, knownDaemons, runningDaemon, stopDaemon } from './daemon';
import { dockerDaemon, removeContainers } from './docker';
import { ensureNetwork, processesInNetwork, removeNetwork } from './network';
import { registryDaemon } from './registry';

/** What the estate's images, nodes and volumes take on disk, generously. */
const FREE_DISK_BYTES = 5 * 2 ** 30;

/** Programs that the engine runs besides those of {@link HostTools}. */
export interface EnginePrograms {
  readonly buildx: string;
  readonly buildkitd: string;
}

/**
 * Starts the lab's network namespace, Docker engine, registry and image builder; goes on from what runs already.
 * @throws Error where the disk is full, the addresses are taken, or a daemon does not come up (with its log)
 */
export async function startEngine(
  ctx: LabContext,
  tools: HostTools,
  programs: EnginePrograms,
  reporter: Reporter,
): Promise<void> {
  await mkdir(path.join(ctx.root, 'run'), { recursive: true });
  await mkdir(ctx.logDir, { recursive: true });
  await mkdir(ctx.runDir, { recursive: true, mode: 0o711 });
  await requireDisk(ctx);
  await reporter.step('network', () => ensureNetwork(ctx, tools));
  await Promise.all([
    reporter.step('Docker engine', async () => ensureDaemon(ctx, await dockerDaemon(ctx, tools))),
    reporter.step('image registry', async () =>
      ensureDaemon(ctx, await registryDaemon(ctx, tools)),
    ),
    reporter.step('image builder', async () => {
      await ensureDaemon(ctx, await buildkitDaemon(ctx, tools, programs.buildkitd));
      await ensureBuilder(ctx, tools, programs.buildx);
    }),
  ]);
}

/** Ends all that {@link startEngine} and the containers started since have made. Can be repeated. */
export async function stopEngine(
  ctx: LabContext,
  tools: HostTools,
  reporter: Reporter,
): Promise<void> {
  if ((await runningDaemon(ctx, 'dockerd')) !== undefined) {
    await reporter.step('containers', () =>
      // What a stuck engine leaves is ended below, by its cgroup.
      removeContainers(ctx, tools).catch(() => undefined),
    );
  }
  await reporter.step('daemons', async () => {
    const [inside] = await processesInNetwork(ctx, tools);
    const sockets = inside === undefined ? [] : await shimSockets(inside);
    await Promise.all((await knownDaemons(ctx)).map((name) => stopDaemon(ctx, name)));
    await removeCgroups(ctx);
    await killAll(() => processesInNetwork(ctx, tools));
    for (const socket of sockets) await rm(socket, { force: true });
  });
  await reporter.step('network and files', async () => {
    await removeNetwork(ctx, tools);
    for (const folder of [ctx.runDir, ctx.root]) {
      await unmountBelow(folder);
      await removeFolder(folder);
    }
    // `.berth/lab` and `.berth` go too when nothing else is in them.
    const labs = path.dirname(ctx.root);
    for (const folder of [labs, path.dirname(labs)]) await rmdir(folder).catch(() => undefined);
  });
}

/** Whether anything of the lab is there: running, or left by a run that was cut short. */
export function engineExists(ctx: LabContext): boolean {
  return [ctx.root, ctx.runDir, `/run/netns/${ctx.netns}`].some((file) => existsSync(file));
}

async function requireDisk(ctx: LabContext): Promise<void> {
  const { bavail, bsize } = await statfs(ctx.root);
  const free = bavail * bsize;
  if (free < FREE_DISK_BYTES) {
    const gib = (bytes: number) => (bytes / 2 ** 30).toFixed(1);
    throw new Error(
      `${ctx.root}: ${gib(free)} GiB are free, and the lab needs ${gib(FREE_DISK_BYTES)} GiB: free some, or remove old labs with npm run down`,
    );
  }
}
