import * as dockerBuild from '@pulumi/docker-build';
import * as pulumi from '@pulumi/pulumi';
import type { ImagesConfig } from './config-schema';

export interface ServiceImageArgs {
  readonly images: ImagesConfig;
  /** Name of the repository below the registry, such as `cpu-scheduler`. */
  readonly repository: string;
  /** Folder with everything that the Dockerfile copies. */
  readonly contextDirectory: string;
  readonly dockerfile: string;
  readonly buildArgs?: Readonly<Record<string, string>>;
  /** Password of images.username, where that is set. */
  readonly registryPassword?: pulumi.Input<string> | undefined;
}

/**
 * A multi-arch image in the registry. Consumers refer to its digest, so that changed content rolls out and
 * unchanged content does not.
 */
export class ServiceImage extends pulumi.ComponentResource {
  /** `registry/repository@sha256:…` */
  readonly reference: pulumi.Output<string>;

  constructor(name: string, args: ServiceImageArgs, options?: pulumi.ComponentResourceOptions) {
    super('berth:index:ServiceImage', name, {}, options);
    const { images } = args;
    const repository = `${images.registry}/${args.repository}`;
    const image = new dockerBuild.Image(
      name,
      {
        context: { location: args.contextDirectory },
        dockerfile: { location: args.dockerfile },
        platforms: images.platforms,
        tags: [`${repository}:latest`],
        buildArgs: { BASE_IMAGE: images.baseImage, ...args.buildArgs },
        push: true,
        buildOnPreview: false,
        ...(images.builder === '' ? {} : { builder: { name: images.builder } }),
        ...(args.registryPassword === undefined || images.username === ''
          ? {}
          : {
              registries: [
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
    this.reference = pulumi.interpolate`${repository}@${image.digest}`;
    this.registerOutputs({ reference: this.reference });
  }
}
