import { runPlugin, type Plugin } from '../../../lab/plugins/shared';
import { commandInMemory, containerInMemory, imageInMemory, volumeInMemory } from './machine';
import { objectInMemory, releaseInMemory } from './cluster';

/** Which provider this process is. */
const name = process.env.BERTH_MEMORY_PROVIDER ?? '';

const PROVIDERS: Readonly<Record<string, Pick<Plugin, 'options' | 'resource'>>> = {
  command: { options: {}, resource: () => commandInMemory },
  docker: {
    options: { host: 'string' },
    resource: (token) => (token.endsWith(':Container') ? containerInMemory : volumeInMemory),
  },
  'docker-build': { options: {}, resource: () => imageInMemory },
  kubernetes: {
    options: {
      kubeconfig: 'string',
      context: 'string',
      clusterIdentifier: 'string',
      enableServerSideApply: 'json',
    },
    resource: (token) =>
      token === 'kubernetes:helm.sh/v3:Release' ? releaseInMemory : objectInMemory(token),
  },
};

const provider = PROVIDERS[name];
if (provider === undefined) throw new Error(`BERTH_MEMORY_PROVIDER=${name}: no such provider`);
runPlugin({ name, version: '0.0.1', configure: () => undefined, ...provider });
