import type { ResourceType } from '../../../lab/plugins/shared';
import { objectType } from '../../../lab/plugins/kubernetes/api/token';
import { diffObject } from '../../../lab/plugins/kubernetes/objects/diff';
import { withName } from '../../../lab/plugins/kubernetes/objects/naming';
import { fixedFields } from '../../../lab/plugins/kubernetes/objects/replacement';
import { inMemory } from './in-memory';

const OPTIONS = { mutableConfigMaps: false, mutableSecrets: false, immutable: false };

/** A Kubernetes object: what replaces it is decided as by the lab's provider, and so as by the official one. */
export function objectInMemory(token: string): ResourceType | undefined {
  const type = objectType(token);
  if (type === undefined) return undefined;
  const { apiVersion, kind } = type;
  return inMemory({
    check: ({ olds, news, randomSeed }, { name }) =>
      Promise.resolve({
        inputs: withName({ ...news, apiVersion, kind }, olds, name, randomSeed),
      }),
    diff: ({ oldInputs, oldOutputs, news }) =>
      Promise.resolve(diffObject(oldInputs, oldOutputs, news, fixedFields(type, OPTIONS))),
  });
}

/** A Helm release of which nothing is rendered. */
export const releaseInMemory = inMemory(
  { replaceOn: ['name', 'namespace'] },
  ({ name = null, namespace = null }) => ({ status: { name, namespace } }),
);
