import * as kubernetes from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import { restrictedContainer, restrictedPod } from '../pod';

export const MQTT_PORT = 1883;
/** The user of the eclipse-mosquitto image. */
const MOSQUITTO_UID = 1883;

/** An MQTT broker for the cameras' images, reachable only inside the cluster. */
export class Mosquitto extends pulumi.ComponentResource {
  readonly host: pulumi.Output<string>;
  readonly port = MQTT_PORT;

  constructor(
    name: string,
    args: { readonly namespace: pulumi.Input<string>; readonly image: string },
    options: pulumi.ComponentResourceOptions,
  ) {
    super('berth:platform:Mosquitto', name, {}, options);
    const labels = { 'app.kubernetes.io/name': name };
    const metadata = { name, namespace: args.namespace, labels };
    const inside = { parent: this };
    const configuration = `listener ${MQTT_PORT}\nallow_anonymous true\nmessage_size_limit 33554432\nmax_queued_messages 100\n`;
    const config = new kubernetes.core.v1.ConfigMap(
      name,
      { metadata, data: { 'mosquitto.conf': configuration } },
      inside,
    );
    new kubernetes.apps.v1.Deployment(
      name,
      {
        metadata,
        spec: {
          replicas: 1,
          strategy: { type: 'Recreate' },
          selector: { matchLabels: labels },
          template: {
            metadata: { labels },
            spec: {
              automountServiceAccountToken: false,
              securityContext: restrictedPod(MOSQUITTO_UID),
              containers: [
                {
                  name,
                  image: args.image,
                  ports: [{ name: 'mqtt', containerPort: MQTT_PORT }],
                  securityContext: restrictedContainer,
                  resources: {
                    requests: { cpu: '20m', memory: '32Mi' },
                    limits: { memory: '512Mi' },
                  },
                  readinessProbe: { tcpSocket: { port: MQTT_PORT }, periodSeconds: 2 },
                  volumeMounts: [
                    { name: 'config', mountPath: '/mosquitto/config', readOnly: true },
                    { name: 'data', mountPath: '/mosquitto/data' },
                  ],
                },
              ],
              volumes: [
                { name: 'config', configMap: { name: config.metadata.name } },
                { name: 'data', emptyDir: {} },
              ],
            },
          },
        },
      },
      inside,
    );
    const service = new kubernetes.core.v1.Service(
      name,
      { metadata, spec: { selector: labels, ports: [{ name: 'mqtt', port: MQTT_PORT }] } },
      inside,
    );
    this.host = pulumi.interpolate`${service.metadata.name}.${service.metadata.namespace}.svc`;
    this.registerOutputs({ host: this.host });
  }
}
