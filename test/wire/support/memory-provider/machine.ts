import { createHash } from 'node:crypto';
import { container } from '../../../lab/plugins/docker/container';
import { volume } from '../../../lab/plugins/docker/volume';
import { diffImage } from '../../../lab/plugins/docker-build/image-diff';
import { localCommand } from '../../../lab/plugins/command/local';
import { inMemory } from './in-memory';

const noEngine = (): never => {
  throw new Error('there is no Docker engine here');
};

/** A container with an address in each of its networks. */
export const containerInMemory = inMemory(container(noEngine), ({ networksAdvanced }) => ({
  networkDatas: ((networksAdvanced ?? []) as { readonly name: string }[]).map(({ name }) => ({
    networkName: name,
    ipAddress: '172.18.0.9',
  })),
}));
/** Volumes, and networks, which are told from one another by as little. */
export const volumeInMemory = inMemory(volume(noEngine));

const KUBECONFIG = 'clusters:\n- cluster:\n    server: https://127.0.0.1:6443\n';

/** A command that runs nothing and prints a kubeconfig. */
export const commandInMemory = inMemory(localCommand, () => ({ stdout: KUBECONFIG, stderr: '' }));

/** An image whose digest is that of its inputs. */
export const imageInMemory = inMemory(
  {
    diff: ({ oldInputs, news }) => Promise.resolve({ changes: diffImage(oldInputs, news, '', '') }),
  },
  (inputs) => {
    const digest = createHash('sha256').update(JSON.stringify(inputs)).digest('hex');
    return { digest: `sha256:${digest}`, ref: `image@sha256:${digest}` };
  },
);
