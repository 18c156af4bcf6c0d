import { existsSync, readFileSync } from 'node:fs';
import { deepMerge } from '../../../../runtime/shared/deep-merge';
import type { Props, ResourceType } from '../../../lab/plugins/shared';

/** What somebody changed by hand, by `type::name`: other values of properties, or null where the resource is gone. */
type Drift = Readonly<Record<string, Props | null>>;

function drift(): Drift {
  const file = process.env.BERTH_MEMORY_DRIFT ?? '';
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Drift) : {};
}

/**
 * A resource that exists in the engine's state alone: what is made has its inputs as outputs, and `computed` beside
 * them. What a change does to it (its checks and its diff) is left to `type`.
 */
export function inMemory(
  type: Pick<ResourceType, 'check' | 'diff' | 'replaceOn' | 'deleteBeforeReplace'>,
  computed: (inputs: Props, name: string) => Props = () => ({}),
): ResourceType {
  const outputs = (inputs: Props, name: string) => ({ ...inputs, ...computed(inputs, name) });
  return {
    ...type,
    preview: ({ id, inputs, oldOutputs }) =>
      Promise.resolve(id === undefined ? inputs : { ...oldOutputs, ...inputs }),
    create: ({ inputs }, { name }) =>
      Promise.resolve({ id: `${name}-id`, outputs: outputs(inputs, name) }),
    update: ({ inputs }, { name }) => Promise.resolve(outputs(inputs, name)),
    // A status is an output alone: nobody declares it.
    read({ id, inputs, outputs: known }, { type: token, name }) {
      const changed = drift()[`${token}::${name}`];
      if (changed === null) return Promise.resolve(undefined);
      const declared = Object.fromEntries(
        Object.entries(changed ?? {}).filter(([key]) => key !== 'status'),
      );
      return Promise.resolve({
        id,
        inputs: deepMerge(inputs, declared) as Props,
        outputs: deepMerge(known, changed) as Props,
      });
    },
    delete: () => Promise.resolve(),
  };
}
