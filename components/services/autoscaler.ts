import { posix } from 'node:path';
import * as kubernetes from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import type { WorkerTemplate } from '../../runtime/autoscaler/containers/worker-template';
import { autoscalerRbac } from '../../runtime/autoscaler/rbac';
import { autoscalerSettings } from '../../runtime/autoscaler/settings';
import { settingsToEnv } from '../../runtime/shared/settings';
import type { AutoscalingConfig } from '../config-schema';
import { NAMESPACES, type CpuQueries, type MemoryQueries } from '../plan';
import { httpProbes, restrictedContainer, restrictedPod, scraped } from '../pod';
import { podTls } from '../pod-tls';
import { ServiceRbac } from '../rbac';

export const AUTOSCALER_PORT = 8080;
export const AUTOSCALER_METRICS_PORT = 9091;
const SECOND_MS = 1000;
const LOGS = 'logs';
const TLS_FOLDER = '/etc/autoscaler-tls';
/** A pod whose log has grown beyond this is replaced, and the log begins anew. */
const LOG_SIZE_LIMIT = '1Gi';

/** What the autoscaler is told and nobody else may know. */
export interface AutoscalerSecrets {
  readonly apiToken: pulumi.Output<string>;
  readonly redisUrl: pulumi.Output<string>;
  readonly mongoUrl: pulumi.Output<string>;
  readonly clusterToken: pulumi.Output<string>;
  readonly dockerToken: pulumi.Output<string>;
}

export interface AutoscalerArgs {
  readonly namespace: pulumi.Input<string>;
  readonly image: pulumi.Input<string>;
  readonly prometheusUrl: pulumi.Input<string>;
  readonly queries: CpuQueries & MemoryQueries;
  readonly settings: AutoscalingConfig;
  readonly template: WorkerTemplate;
  readonly dockerUrl: pulumi.Input<string>;
  readonly secrets: AutoscalerSecrets;
  /** Name of a Secret with tls.crt and tls.key; with it the REST API speaks TLS. */
  readonly tlsSecret?: pulumi.Input<string> | undefined;
}

/** What adds and removes workers; a Service for its REST API. */
export class Autoscaler extends pulumi.ComponentResource {
  /** URL of the REST API inside the cluster. */
  readonly url: pulumi.Output<string>;

  constructor(name: string, args: AutoscalerArgs, options: pulumi.ComponentResourceOptions) {
    super('berth:services:Autoscaler', name, {}, options);
    const { namespace, queries, secrets, tlsSecret } = args;
    const inside = { parent: this };
    const rbac = new ServiceRbac(name, { namespace, rules: autoscalerRbac }, inside);
    const labels = { 'app.kubernetes.io/name': name };
    const metadata = { name, namespace, labels };
    const table = autoscalerSettings;
    const secret = new kubernetes.core.v1.Secret(
      name,
      {
        metadata,
        stringData: {
          [table.apiToken.env]: secrets.apiToken,
          [table.redisUrl.env]: secrets.redisUrl,
          [table.mongoUrl.env]: secrets.mongoUrl,
          [table.clusterToken.env]: secrets.clusterToken,
          [table.dockerToken.env]: secrets.dockerToken,
        },
      },
      inside,
    );
    const tls = tlsSecret === undefined ? undefined : podTls(tlsSecret, TLS_FOLDER);
    const scheme = tls ? 'https' : 'http';
    const env = settingsToEnv(table, {
      ...scalingValues(args.settings),
      workerTemplate: JSON.stringify(args.template),
      ...queries,
      leaseNamespace: NAMESPACES.system,
      leaseName: name,
      port: AUTOSCALER_PORT,
      metricsPort: AUTOSCALER_METRICS_PORT,
      tlsCertFile: tls?.files.cert,
      tlsKeyFile: tls?.files.key,
    });
    const log = logVolume(args.settings.logFile);
    const volumes = [...(log ? [log.volume] : []), ...(tls ? [tls.volume] : [])];
    const volumeMounts = [...(log ? [log.volumeMount] : []), ...(tls ? [tls.volumeMount] : [])];
    new kubernetes.apps.v1.Deployment(
      name,
      {
        metadata,
        spec: {
          replicas: 1,
          selector: { matchLabels: labels },
          template: {
            metadata: { labels, annotations: scraped(AUTOSCALER_METRICS_PORT) },
            spec: {
              serviceAccountName: rbac.serviceAccountName,
              priorityClassName: 'system-cluster-critical',
              securityContext: restrictedPod(),
              ...(volumes.length > 0 && { volumes }),
              containers: [
                {
                  name,
                  image: args.image,
                  env: [
                    ...env,
                    { name: table.promUrl.env, value: args.prometheusUrl },
                    { name: table.dockerUrl.env, value: args.dockerUrl },
                    {
                      name: table.podName.env,
                      valueFrom: { fieldRef: { fieldPath: 'metadata.name' } },
                    },
                  ],
                  envFrom: [{ secretRef: { name: secret.metadata.name } }],
                  ports: [
                    { name: scheme, containerPort: AUTOSCALER_PORT },
                    { name: 'metrics', containerPort: AUTOSCALER_METRICS_PORT },
                  ],
                  ...(volumeMounts.length > 0 && { volumeMounts }),
                  securityContext: restrictedContainer,
                  resources: {
                    requests: { cpu: '50m', memory: '128Mi' },
                    limits: { memory: '512Mi' },
                  },
                  ...httpProbes(AUTOSCALER_METRICS_PORT),
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
      { metadata, spec: { selector: labels, ports: [{ name: scheme, port: AUTOSCALER_PORT }] } },
      inside,
    );
    this.url = pulumi.interpolate`${scheme}://${service.metadata.name}.${service.metadata.namespace}.svc:${AUTOSCALER_PORT}`;
    this.registerOutputs({ url: this.url });
  }
}

/** The system's configuration in the service's own names and units. */
const scalingValues = (settings: AutoscalingConfig) => ({
  dryRun: settings.dryRun,
  minNodes: settings.minNodes,
  maxNodes: settings.maxNodes,
  permanentWorkers: settings.permanentWorkers.join(','),
  checkIntervalMs: Math.round(settings.checkIntervalSeconds * SECOND_MS),
  pendingPods: settings.pendingPods,
  cpuThresholdRatio: settings.cpuThresholdRatio,
  memoryThresholdRatio: settings.memoryThresholdRatio,
  cpuScaleDownRatio: settings.cpuScaleDownRatio,
  memoryScaleDownRatio: settings.memoryScaleDownRatio,
  scaleUpCooldownMs: settings.scaleUpCooldownSeconds * SECOND_MS,
  scaleDownCooldownMs: settings.scaleDownCooldownSeconds * SECOND_MS,
  maxScaleUp: settings.maxScaleUp,
  maxScaleDown: settings.maxScaleDown,
  evictBarePods: settings.evictBarePods,
  logLevel: settings.logLevel,
  logFormat: settings.logFormat,
  logFile: settings.logFile,
});

/** A volume for the folder of the log's file, which outlives the container and goes with the pod; none without a file. */
const logVolume = (file: string) =>
  file === ''
    ? undefined
    : {
        volume: { name: LOGS, emptyDir: { sizeLimit: LOG_SIZE_LIMIT } },
        volumeMount: { name: LOGS, mountPath: posix.dirname(file) },
      };
