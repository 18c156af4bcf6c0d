import * as kubernetes from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import { imageFeederSettings } from '../../runtime/image-feeder/settings';
import { settingsToEnv } from '../../runtime/shared/settings';
import type { Mosquitto } from '../platform/mosquitto';
import { httpProbes, restrictedContainer, restrictedPod, scraped } from '../pod';

export const IMAGE_FEEDER_PORT = 8080;

/** Publishes the sample photographs to the broker, as cameras would. */
export class ImageFeeder extends pulumi.ComponentResource {
  constructor(
    name: string,
    args: {
      readonly namespace: pulumi.Input<string>;
      readonly image: pulumi.Input<string>;
      readonly broker: Mosquitto;
      readonly ratePerSecond: number;
    },
    options: pulumi.ComponentResourceOptions,
  ) {
    super('berth:services:ImageFeeder', name, {}, options);
    const labels = { 'app.kubernetes.io/name': name };
    const env = settingsToEnv(imageFeederSettings, {
      mqttPort: args.broker.port,
      ratePerSecond: args.ratePerSecond,
      port: IMAGE_FEEDER_PORT,
    });
    new kubernetes.apps.v1.Deployment(
      name,
      {
        metadata: { name, namespace: args.namespace, labels },
        spec: {
          replicas: 1,
          selector: { matchLabels: labels },
          template: {
            metadata: { labels, annotations: scraped(IMAGE_FEEDER_PORT) },
            spec: {
              automountServiceAccountToken: false,
              securityContext: restrictedPod(),
              containers: [
                {
                  name,
                  image: args.image,
                  env: [
                    ...env,
                    { name: imageFeederSettings.mqttBroker.env, value: args.broker.host },
                  ],
                  ports: [{ name: 'http', containerPort: IMAGE_FEEDER_PORT }],
                  securityContext: restrictedContainer,
                  resources: {
                    requests: { cpu: '20m', memory: '64Mi' },
                    limits: { memory: '256Mi' },
                  },
                  ...httpProbes(IMAGE_FEEDER_PORT),
                },
              ],
            },
          },
        },
      },
      { parent: this },
    );
    this.registerOutputs({});
  }
}
