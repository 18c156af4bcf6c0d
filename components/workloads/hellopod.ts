import * as kubernetes from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import { hellopodSettings } from '../../runtime/hellopod/settings';
import { settingsToEnv } from '../../runtime/shared/settings';
import { httpProbes, restrictedContainer, restrictedPod, scraped } from '../pod';

export const HELLOPOD_PORT = 8080;
const HTTP_PORT = 80;

export interface HellopodArgs {
  readonly namespace: pulumi.Input<string>;
  readonly image: pulumi.Input<string>;
  readonly schedulerName: string;
  readonly replicas: number;
  /** `host:port` that leads to the prober of a pod's own node. */
  readonly proberAddress: pulumi.Input<string>;
  /** CPU that a pod requests, in thousandths of a processor. */
  readonly cpuMillis: number;
  /** With a Traefik in the cluster: the path under which it answers on the entry point `web`. */
  readonly path?: string | undefined;
  readonly logLevel: string;
}

/** A small service to place: a Deployment, its Service, and the route to it through Traefik. */
export class Hellopod extends pulumi.ComponentResource {
  /** URL of the service inside the cluster. */
  readonly url: pulumi.Output<string>;

  constructor(name: string, args: HellopodArgs, options: pulumi.ComponentResourceOptions) {
    super('berth:workloads:Hellopod', name, {}, options);
    const { namespace } = args;
    const inside = { parent: this };
    const labels = { 'app.kubernetes.io/name': name };
    const metadata = { name, namespace, labels };
    const fromPod = (setting: { readonly env: string }, fieldPath: string) => ({
      name: setting.env,
      valueFrom: { fieldRef: { fieldPath } },
    });
    new kubernetes.apps.v1.Deployment(
      name,
      {
        metadata,
        spec: {
          replicas: args.replicas,
          selector: { matchLabels: labels },
          template: {
            metadata: { labels, annotations: scraped(HELLOPOD_PORT) },
            spec: {
              schedulerName: args.schedulerName,
              automountServiceAccountToken: false,
              securityContext: restrictedPod(),
              containers: [
                {
                  name,
                  image: args.image,
                  env: [
                    ...settingsToEnv(hellopodSettings, {
                      port: HELLOPOD_PORT,
                      logLevel: args.logLevel,
                    }),
                    { name: hellopodSettings.proberAddress.env, value: args.proberAddress },
                    fromPod(hellopodSettings.podName, 'metadata.name'),
                    fromPod(hellopodSettings.nodeName, 'spec.nodeName'),
                  ],
                  ports: [{ name: 'http', containerPort: HELLOPOD_PORT }],
                  securityContext: restrictedContainer,
                  resources: {
                    requests: { cpu: `${args.cpuMillis}m`, memory: '48Mi' },
                    limits: { memory: '128Mi' },
                  },
                  ...httpProbes(HELLOPOD_PORT),
                },
              ],
            },
          },
        },
      },
      inside,
    );
    const service = new kubernetes.core.v1.Service(
      name,
      {
        metadata,
        spec: {
          selector: labels,
          ports: [{ name: 'http', port: HTTP_PORT, targetPort: 'http' }],
        },
      },
      inside,
    );
    if (args.path !== undefined) this.#route(name, metadata, args.path, service);
    this.url = pulumi.interpolate`http://${service.metadata.name}.${service.metadata.namespace}.svc`;
    this.registerOutputs({ url: this.url });
  }

  #route(
    name: string,
    metadata: { name: string; namespace: pulumi.Input<string>; labels: Record<string, string> },
    path: string,
    service: kubernetes.core.v1.Service,
  ): void {
    const apiVersion = 'traefik.io/v1alpha1';
    // hellopod answers on /, whatever path leads to it.
    const strip = new kubernetes.apiextensions.CustomResource(
      `${name}-strip`,
      {
        apiVersion,
        kind: 'Middleware',
        metadata: { ...metadata, name: `${name}-strip` },
        spec: { stripPrefix: { prefixes: [path] } },
      },
      { parent: this },
    );
    new kubernetes.apiextensions.CustomResource(
      name,
      {
        apiVersion,
        kind: 'IngressRoute',
        metadata,
        spec: {
          entryPoints: ['web'],
          routes: [
            {
              kind: 'Rule',
              match: `PathPrefix(\`${path}\`)`,
              middlewares: [{ name: strip.metadata.name }],
              services: [{ name: service.metadata.name, port: HTTP_PORT }],
            },
          ],
        },
      },
      { parent: this },
    );
  }
}
