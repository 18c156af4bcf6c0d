import type { LabContext } from '../context';
import type { DebianArch } from '../debian';
import type { Reporter } from '../report';
import { nodeImage } from './node-image';
import { platformImages } from './platform-images';
import { pushImage } from './push';

export { ensureRootfs, type RootfsSpec } from './rootfs';

/** Sees to it that the lab's registry, which must run, has the base image of services and the platform's images. */
export async function ensureImages(ctx: LabContext, reporter: Reporter): Promise<void> {
  const arch: DebianArch = process.arch === 'arm64' ? 'arm64' : 'amd64';
  const images = [await nodeImage(reporter), ...(await platformImages(arch, reporter))];
  await reporter.step('push base and platform images', async (detail) => {
    for (const image of images) {
      detail(`${image.name}:${image.tag}`);
      await pushImage(ctx, image);
    }
    detail(`${images.length} images`);
  });
}
