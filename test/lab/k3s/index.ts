import type { LabContext } from '../context';
import { ensureHostPackages } from '../programs';
import type { Reporter } from '../report';
import { K3S_IMAGE, loadImage } from './image';
import { ensureParts } from './parts';

export { k3sContainerOptions, type NodeContainerOptions } from './container-options';
export { K3S_IMAGE } from './image';

/**
 * Sees to it that the lab's Docker engine, which must be running, has the image of k3s's name and contract.
 * Nothing is done when it is there; a change of the entrypoint alone takes a few seconds.
 * @throws Error when a part cannot be built or the engine refuses it.
 */
export async function ensureK3sImage(ctx: LabContext, reporter: Reporter): Promise<void> {
  const [tools, parts] = await Promise.all([ensureHostPackages(reporter), ensureParts(reporter)]);
  const engine = { command: tools.docker, env: { ...tools.env, DOCKER_HOST: ctx.dockerHost } };
  await reporter.step(`load ${K3S_IMAGE}`, async (detail) =>
    detail(await loadImage(engine, parts)),
  );
}
