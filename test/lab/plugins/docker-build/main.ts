import { z } from 'zod';
import { runPlugin } from '../shared';
import { image, type Settings } from './image';
import { registrySchema } from './image-schema';

let settings: Settings = { host: '', registries: [] };

const resources = new Map([['docker-build:index:Image', image(() => settings)]]);

runPlugin({
  name: 'docker-build',
  version: '0.0.22',
  options: { host: 'string', registries: 'json' },
  configure({ host, registries }) {
    settings = {
      host: `${host ?? ''}`,
      registries: z.array(registrySchema).parse(registries ?? []),
    };
  },
  resource: (token) => resources.get(token),
});
