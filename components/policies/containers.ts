import { containersOf, fieldsAt, labelOf, podOf } from './pods';
import type { EstatePolicy } from './types';

const BY_DIGEST = /@sha256:[0-9a-f]{64}$/;

/** Schedulers of this estate place pods by what they ask for: a pod that asks for nothing fits everywhere. */
export const requestsSet: EstatePolicy = {
  name: 'resource-requests',
  description: 'Every container requests CPU and memory',
  violations: (resource) => {
    const pod = podOf(resource);
    if (pod === undefined) return [];
    return containersOf(pod).flatMap((container) => {
      const requests = fieldsAt(container, 'resources', 'requests');
      return ['cpu', 'memory']
        .filter((key) => requests[key] === undefined || requests[key] === '')
        .map((key) => ({
          subject: labelOf(container),
          text: `${labelOf(container)}: resources.requests.${key} must be set`,
        }));
    });
  },
};

/** A tag may be another image tomorrow: a digest never is. */
export const imagesByDigest: EstatePolicy = {
  name: 'images-by-digest',
  description: 'Every container names its image by digest',
  violations: (resource) => {
    const pod = podOf(resource);
    if (pod === undefined) return [];
    return containersOf(pod)
      .filter(({ image }) => typeof image === 'string' && !BY_DIGEST.test(image))
      .map((container) => ({
        subject: labelOf(container),
        text: `${labelOf(container)}: image ${String(container.image)} must end in @sha256:…`,
      }));
  },
};
