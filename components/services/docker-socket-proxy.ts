import * as docker from '@pulumi/docker';
import * as pulumi from '@pulumi/pulumi';
import type { WorkerTemplate } from '../../runtime/autoscaler/containers/worker-template';
import { dockerSocketProxySettings } from '../../runtime/docker-socket-proxy/settings';
import { settingsToEnv } from '../../runtime/shared/settings';
import type { ImagesConfig } from '../config-schema';
import type { DockerHosts } from '../hosts/docker-cluster';

export const DOCKER_SOCKET_PROXY_PORT = 2375;
/** Where the socket is inside the container. */
const SOCKET = '/var/run/docker.sock';

export interface DockerSocketProxyArgs {
  readonly hosts: DockerHosts;
  /** Of the images' registry, from which Docker pulls this one. */
  readonly images: ImagesConfig;
  readonly registryPassword?: pulumi.Input<string> | undefined;
  readonly image: pulumi.Input<string>;
  readonly template: WorkerTemplate;
  /** Path of the engine's socket on its host. */
  readonly socket: string;
  /** Bearer token of every request. */
  readonly token: pulumi.Output<string>;
  readonly logLevel: string;
}

/**
 * The one process with Docker's socket: a container beside the cluster's nodes, on their network, without a published port. It
 * is root, which owns the socket, and can do nothing else: no capability, no writable file, no new privileges.
 */
export class DockerSocketProxy extends pulumi.ComponentResource {
  /** Where pods reach it. */
  readonly url: pulumi.Output<string>;

  constructor(name: string, args: DockerSocketProxyArgs, options: pulumi.ComponentResourceOptions) {
    super('berth:services:DockerSocketProxy', name, {}, options);
    const { hosts, template, images } = args;
    const { config, network } = hosts;
    const provider = new docker.Provider(
      `${name}-docker`,
      {
        ...(config.host === '' ? {} : { host: config.host }),
        ...(args.registryPassword === undefined || images.username === ''
          ? {}
          : {
              registryAuth: [
                {
                  address: images.registry.split('/')[0] ?? images.registry,
                  username: images.username,
                  password: pulumi.secret(args.registryPassword),
                },
              ],
            }),
      },
      { parent: this },
    );
    const env = settingsToEnv(dockerSocketProxySettings, {
      workerTemplate: JSON.stringify(template),
      dockerSocket: SOCKET,
      port: DOCKER_SOCKET_PROXY_PORT,
      logLevel: args.logLevel,
    });
    const { clusterToken, dockerToken } = dockerSocketProxySettings;
    const container = new docker.Container(
      name,
      {
        name: `${config.name}-${name}`,
        image: args.image,
        envs: [
          ...env.map((variable) => `${variable.name}=${variable.value}`),
          pulumi.interpolate`${clusterToken.env}=${hosts.token}`,
          pulumi.interpolate`${dockerToken.env}=${args.token}`,
        ],
        user: '0:0',
        networksAdvanced: [{ name: network, aliases: [name] }],
        volumes: [{ hostPath: args.socket, containerPath: SOCKET }],
        readOnly: true,
        capabilities: { drops: ['ALL'] },
        securityOpts: ['no-new-privileges'],
        memory: 256,
        restart: 'unless-stopped',
        destroyGraceSeconds: 10,
      },
      {
        parent: this,
        provider,
        deleteBeforeReplace: true,
        replaceOnChanges: ['envs', 'image'],
      },
    );
    const address = pulumi.all([container.networkDatas, network]).apply(([networks, wanted]) => {
      const found = networks.find(({ networkName }) => networkName === wanted)?.ipAddress;
      if (!found)
        throw new Error(
          `container ${config.name}-${name} has no address on Docker network ${wanted}: see docker logs ${config.name}-${name}, then run npm run up again`,
        );
      return found;
    });
    this.url = pulumi.interpolate`http://${address}:${DOCKER_SOCKET_PROXY_PORT}`;
    this.registerOutputs({ url: this.url });
  }
}
