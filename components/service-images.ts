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

/** The services that Berth builds an image of: runtime/<id>. */
export type ServiceId =
  | 'autoscaler'
  | 'cpu-scheduler'
  | 'docker-socket-proxy'
  | 'external-scaler'
  | 'hellopod'
  | 'image-feeder'
  | 'latency-extender'
  | 'load-generator'
  | 'node-controller'
  | 'prober'
  | 'workload';

export interface ServiceImagesArgs {
  readonly images: ImagesConfig;
  readonly registryPassword?: pulumi.Input<string> | undefined;
}

/** The images of the services and of the ten analyzers; each is built when it is first asked for. */
export class ServiceImages extends pulumi.ComponentResource {
  private readonly built = new Map<ServiceId, pulumi.Output<string>>();
  private builtAnalyzers: Readonly<Record<string, pulumi.Output<string>>> | undefined;

  constructor(
    name: string,
    private readonly args: ServiceImagesArgs,
    options?: pulumi.ComponentResourceOptions,
  ) {
    super('berth:index:ServiceImages', name, {}, options);
    this.registerOutputs({});
  }

  /** Image of a service. */
  service(id: ServiceId): pulumi.Output<string> {
    let image = this.built.get(id);
    if (image === undefined) {
      buildServiceContext(id, resolve(projectDirectory, contextFor(id)));
      image = this.image(id, contextFor(id), serviceDockerfile);
      this.built.set(id, image);
    }
    return image;
  }

  /** Image of each analyzer, by app. */
  get analyzers(): Readonly<Record<string, pulumi.Output<string>>> {
    if (this.builtAnalyzers === undefined) {
      buildAnalyzerContext(resolve(projectDirectory, contextFor('analyzer')));
      this.builtAnalyzers = Object.fromEntries(
        ANALYZER_APPS.map((app) => [
          app,
          this.image(`posture-${app}`, contextFor('analyzer'), analyzerDockerfile, { APP: app }),
        ]),
      );
    }
    return this.builtAnalyzers;
  }

  private image(
    repository: string,
    contextDirectory: string,
    dockerfile: string,
    buildArgs?: Record<string, string>,
  ): pulumi.Output<string> {
    return new ServiceImage(
      repository,
      { ...this.args, repository, contextDirectory, dockerfile, ...(buildArgs && { buildArgs }) },
      { parent: this },
    ).reference;
  }
}
