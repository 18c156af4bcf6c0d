import { runPlugin, type ResourceType } from '../shared';
import { container } from './container';
import { EngineApi } from './engine-api';
import { network } from './network';
import { remoteImage } from './remote-image';
import { volume } from './volume';

let configured: EngineApi | undefined;

function engine(): EngineApi {
  if (configured === undefined) throw new Error('the docker provider is not configured');
  return configured;
}

const resources = new Map<string, ResourceType>([
  ['docker:index/container:Container', container(engine)],
  ['docker:index/network:Network', network(engine)],
  ['docker:index/remoteImage:RemoteImage', remoteImage(engine)],
  ['docker:index/volume:Volume', volume(engine)],
]);

runPlugin({
  name: 'docker',
  version: '5.2.0',
  options: { host: 'string' },
  configure({ host }) {
    const url = host ?? process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock';
    configured = new EngineApi(`${url}`);
  },
  resource: (token) => resources.get(token),
});
