import type { LabContext } from '../context';
import type { DebianArch } from '../debian';
import type { Reporter } from '../report';
import { nodeImage } from './node-image';
import { platformImages } from './platform-images';
import { pushImage, type ImageSpec } from './push';

export { ensureRootfs, type RootfsSpec } from './rootfs';

/** Makes the base image of services and the platform's images, as far as the cache lacks them; no lab need run. */
export async function prepareImages(reporter: Reporter): Promise<ImageSpec[]> {
  const arch: DebianArch = process.arch === 'arm64' ? 'arm64' : 'amd64';
  const parts = await Promise.all([nodeImage(reporter), platformImages(arch, reporter)]);
  return parts.flat();
}

/** Sends images to the lab's registry, which must run, as far as it lacks them. */
export async function pushImages(
  ctx: LabContext,
  images: readonly ImageSpec[],
  reporter: Reporter,
): Promise<void> {
  await reporter.step('push base and platform images', async (detail) => {
    for (const image of images) {
      detail(`${image.name}:${image.tag}`);
      await pushImage(ctx, image);
    }
    detail(`${images.length} images`);
  });
}
