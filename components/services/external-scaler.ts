import * as kubernetes from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import { externalScalerRbac } from '../../runtime/external-scaler/rbac';
import { externalScalerSettings } from '../../runtime/external-scaler/settings';
import { settingsToEnv } from '../../runtime/shared/settings';
import type { EventScalingConfig } from '../config-schema';
import { EXTERNAL_SCALER_PORT, NAMESPACES, type CpuQueries } from '../plan';
import { httpProbes, restrictedContainer, restrictedPod, scraped } from '../pod';
import { podTls } from '../pod-tls';
import { ServiceRbac } from '../rbac';

export const EXTERNAL_SCALER_HTTP_PORT = 8088;
const SECOND_MS = 1000;
const TLS_FOLDER = '/etc/external-scaler-tls';

export interface ExternalScalerArgs {
  readonly namespace: pulumi.Input<string>;
  readonly image: pulumi.Input<string>;
  /** Name of the ConfigMap of that namespace whose key PROM_URL says where Prometheus is. */
  readonly configMap: pulumi.Input<string>;
  /** Base URL of the node-controller; empty when there is none. */
  readonly controllerUrl: pulumi.Input<string>;
  readonly queries: CpuQueries;
  readonly settings: EventScalingConfig;
  /** Name of a Secret with tls.crt, tls.key and ca.crt; with it clients need a certificate of that authority. */
  readonly tlsSecret?: pulumi.Input<string> | undefined;
}

/**
 * KEDA's external scaler. There is one process, never two at a time: it alone knows which berths it has promised.
 */
export class ExternalScaler extends pulumi.ComponentResource {
  /** host:port of the gRPC service, as a trigger's scalerAddress. */
  readonly address: pulumi.Output<string>;
  /** URL of `/eligible`, `/allowed` and the like inside the cluster. */
  readonly url: pulumi.Output<string>;

  constructor(name: string, args: ExternalScalerArgs, options: pulumi.ComponentResourceOptions) {
    super('berth:services:ExternalScaler', name, {}, options);
    const { namespace, settings, tlsSecret } = args;
    const inside = { parent: this };
    const rbac = new ServiceRbac(name, { namespace, rules: externalScalerRbac }, inside);
    const labels = { 'app.kubernetes.io/name': name };
    const metadata = { name, namespace, labels };
    const tls = tlsSecret === undefined ? undefined : podTls(tlsSecret, TLS_FOLDER);
    const env = settingsToEnv(externalScalerSettings, {
      namespace: NAMESPACES.posture,
      mode: settings.mode,
      cpuThreshold: settings.thresholdRatio,
      excludeNodes: settings.excludeNodes.join(','),
      cpuQuery: args.queries.cpuQuery,
      cpuTimeQuery: args.queries.cpuTimeQuery,
      readingMaxAgeMs: settings.lastGoodMaxAgeSeconds * SECOND_MS,
      // Two of the controller's intervals, and some for the time it takes to look.
      controllerMaxAgeMs: (2 * settings.controllerIntervalSeconds + 15) * SECOND_MS,
      // A ScaledJob must be able to miss a poll and keep its place.
      identityTtlMs: Math.max(60, 3 * settings.pollingIntervalSeconds) * SECOND_MS,
      grpcPort: EXTERNAL_SCALER_PORT,
      port: EXTERNAL_SCALER_HTTP_PORT,
      tlsCertFile: tls?.files.cert,
      tlsKeyFile: tls?.files.key,
      tlsClientCaFile: tls?.files.ca,
      logLevel: settings.logLevel,
    });
    new kubernetes.apps.v1.Deployment(
      name,
      {
        metadata,
        spec: {
          replicas: 1,
          strategy: { type: 'Recreate' },
          selector: { matchLabels: labels },
          template: {
            metadata: { labels, annotations: scraped(EXTERNAL_SCALER_HTTP_PORT) },
            spec: {
              serviceAccountName: rbac.serviceAccountName,
              securityContext: restrictedPod(),
              containers: [
                {
                  name,
                  image: args.image,
                  env: [
                    ...env,
                    { name: externalScalerSettings.controllerUrl.env, value: args.controllerUrl },
                    {
                      name: externalScalerSettings.promUrl.env,
                      valueFrom: { configMapKeyRef: { name: args.configMap, key: 'PROM_URL' } },
                    },
                  ],
                  ports: [
                    { name: 'grpc', containerPort: EXTERNAL_SCALER_PORT },
                    { name: 'http', containerPort: EXTERNAL_SCALER_HTTP_PORT },
                  ],
                  securityContext: restrictedContainer,
                  resources: {
                    requests: { cpu: '50m', memory: '96Mi' },
                    limits: { memory: '512Mi' },
                  },
                  ...(tls && { volumeMounts: [tls.volumeMount] }),
                  ...httpProbes(EXTERNAL_SCALER_HTTP_PORT),
                },
              ],
              ...(tls && { volumes: [tls.volume] }),
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
          ports: [
            { name: 'grpc', port: EXTERNAL_SCALER_PORT },
            { name: 'http', port: EXTERNAL_SCALER_HTTP_PORT },
          ],
        },
      },
      inside,
    );
    const host = pulumi.interpolate`${service.metadata.name}.${service.metadata.namespace}.svc.cluster.local`;
    this.address = pulumi.interpolate`${host}:${EXTERNAL_SCALER_PORT}`;
    this.url = pulumi.interpolate`http://${host}:${EXTERNAL_SCALER_HTTP_PORT}`;
    this.registerOutputs({ address: this.address, url: this.url });
  }
}
