import { parseEstateConfig, SECRET_KEYS } from '../../../components/config';
import { withInherited, type StackValues } from '../../../components/inheritance';
import type { StackSettings } from '../project-config';
import { UserError } from '../user-error';
import { reviewCluster, reviewPort, reviewStack, type Review } from './names';

/** What a review's stack is made with. */
export interface ReviewSettings {
  readonly settings: StackSettings;
  /** Keys of the secrets that it needs; its cluster's token is made by itself. */
  readonly secrets: readonly ('kubeconfig' | 'registryPassword')[];
  /** It takes the whole of a cluster, which no other review may have at the time. */
  readonly isAlone: boolean;
}

/**
 * The configuration of a review: its base's, by `berth:extends`, with what must be its own laid over it. It shares no
 * cluster, image or database with its base.
 * @param read the values of a stack; undefined where there is none.
 * @param hasCluster a kubeconfig is given, of a cluster for reviews.
 * @throws UserError where its base's cluster can be no review's.
 */
export function reviewSettings(
  review: Review,
  read: (stack: string) => StackValues | undefined,
  hasCluster: boolean,
): ReviewSettings {
  const stack = reviewStack(review);
  const own = read(review.base);
  if (own === undefined)
    throw new UserError(`--base ${review.base}: there is no Pulumi.${review.base}.yaml`);
  if (read(stack) !== undefined)
    throw new UserError(`Pulumi.${stack}.yaml is there: ${stack} is a stack like any other`);
  const values = withInherited(own, read, [review.base]);
  const base = parseEstateConfig({
    ...{ values, keys: Object.keys(values), secrets: new Set(SECRET_KEYS) },
  });
  return {
    settings: {
      config: {
        'berth:extends': review.base,
        // It goes with its pull request, whatever it holds.
        'berth:safety': 'warn',
        'berth:protect': 'none',
        'berth:cluster': clusterOf(review, base.cluster.kind, hasCluster),
        'berth:images': { registry: `${base.images.registry}/pr-${review.pullRequest}` },
        'berth:posture': { database: { enabled: false } },
      },
    },
    secrets: [
      ...(base.cluster.kind === 'existing' ? (['kubeconfig'] as const) : []),
      ...(base.images.username === '' ? [] : (['registryPassword'] as const)),
    ],
    isAlone: base.cluster.kind === 'existing',
  };
}

function clusterOf(review: Review, kind: 'docker' | 'existing' | 'ssh', hasCluster: boolean) {
  const refused = (why: string) => new UserError(`--base ${review.base}: ${why}`);
  if (kind === 'docker') {
    if (hasCluster)
      throw refused('makes a Docker cluster of its own for each review: leave --kubeconfig out');
    return { kind, docker: { name: reviewCluster(review), apiPort: reviewPort(review) } };
  }
  if (kind === 'ssh')
    throw refused('its hosts are the estate itself: take a base of kind docker, or existing');
  if (!hasCluster)
    throw refused(
      'is a cluster that is there, and its own is never a review’s: --kubeconfig FILE names one for reviews',
    );
  return { kind };
}
