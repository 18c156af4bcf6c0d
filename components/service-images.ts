import { resolve } from 'node:path';
import * as pulumi from '@pulumi/pulumi';
import { buildAnalyzerContext, buildServiceContext } from './build-context';
import type { ImagesConfig } from './config-schema';
import { ANALYZER_APPS } from './plan';
import { ServiceImage } from './service-image';

const projectDirectory = resolve(__dirname, '..');
const serviceDockerfile = 'images/service.Dockerfile';
const analyzerDockerfile = 'images/analyzer.Dockerfile';

/** Where the bundles are put that the Dockerfiles copy. */
const contextFor = (service: string): string => `.berth/build/${service}`;

/** The images of every service and of the ten analyzers. */
export class ServiceImages extends pulumi.ComponentResource {
  readonly cpuScheduler: pulumi.Output<string>;
  readonly imageFeeder: pulumi.Output<string>;
  /** By analyzer app. */
  readonly analyzers: Readonly<Record<string, pulumi.Output<string>>>;

  constructor(
    name: string,
    args: {
      readonly images: ImagesConfig;
      readonly registryPassword?: pulumi.Input<string> | undefined;
    },
    options?: pulumi.ComponentResourceOptions,
  ) {
    super('berth:index:ServiceImages', name, {}, options);
    const image = (
      repository: string,
      contextDirectory: string,
      dockerfile: string,
      buildArgs?: Record<string, string>,
    ) =>
      new ServiceImage(
        repository,
        { ...args, repository, contextDirectory, dockerfile, ...(buildArgs && { buildArgs }) },
        { parent: this },
      ).reference;
    const service = (id: string) => {
      buildServiceContext(id, resolve(projectDirectory, contextFor(id)));
      return image(id, contextFor(id), serviceDockerfile);
    };
    this.cpuScheduler = service('cpu-scheduler');
    this.imageFeeder = service('image-feeder');
    buildAnalyzerContext(resolve(projectDirectory, contextFor('analyzer')));
    this.analyzers = Object.fromEntries(
      ANALYZER_APPS.map((app) => [
        app,
        image(`posture-${app}`, contextFor('analyzer'), analyzerDockerfile, { APP: app }),
      ]),
    );
    this.registerOutputs({});
  }
}
