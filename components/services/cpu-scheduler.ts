import * as kubernetes from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import { cpuSchedulerRbac } from '../../runtime/cpu-scheduler/rbac';
import { cpuSchedulerSettings } from '../../runtime/cpu-scheduler/settings';
import { settingsToEnv } from '../../runtime/shared/settings';
import type { CpuSchedulingConfig } from '../config-schema';
import { CPU_SCHEDULER_NAME, NAMESPACES, type CpuQueries } from '../plan';
import { httpProbes, restrictedContainer, restrictedPod, scraped, spreadOverNodes } from '../pod';
import { ServiceRbac } from '../rbac';

export const CPU_SCHEDULER_PORT = 8080;
const SECOND_MS = 1000;

export interface CpuSchedulerArgs {
  readonly namespace: pulumi.Input<string>;
  readonly image: pulumi.Input<string>;
  readonly prometheusUrl: pulumi.Input<string>;
  readonly queries: CpuQueries;
  readonly settings: CpuSchedulingConfig;
}

/** The CPU-aware scheduler: replicas of which one leads, and a Service for its explanations. */
export class CpuScheduler extends pulumi.ComponentResource {
  /** URL of `/explain`, `/metrics` and the like inside the cluster. */
  readonly url: pulumi.Output<string>;

  constructor(name: string, args: CpuSchedulerArgs, options: pulumi.ComponentResourceOptions) {
    super('berth:services:CpuScheduler', name, {}, options);
    const { namespace, settings } = args;
    const inside = { parent: this };
    const rbac = new ServiceRbac(name, { namespace, rules: cpuSchedulerRbac }, inside);
    const labels = { 'app.kubernetes.io/name': name };
    const metadata = { name, namespace, labels };
    const env = settingsToEnv(cpuSchedulerSettings, {
      schedulerName: CPU_SCHEDULER_NAME,
      cpuQuery: args.queries.cpuQuery,
      cpuTimeQuery: args.queries.cpuTimeQuery,
      cpuThreshold: settings.thresholdRatio,
      cpuPollIntervalMs: settings.pollIntervalSeconds * SECOND_MS,
      readingMaxAgeMs: settings.readingMaxAgeSeconds * SECOND_MS,
      firstReadingWaitMs: settings.firstReadingWaitSeconds * SECOND_MS,
      offloadIntervalMs: settings.offload.intervalSeconds * SECOND_MS,
      offloadDryRun: settings.offload.dryRun,
      offloadMinAgeMs: settings.offload.minimumAgeSeconds * SECOND_MS,
      offloadMaxPerCycle: settings.offload.enabled ? settings.offload.maxPerCycle : 0,
      leaseNamespace: NAMESPACES.system,
      leaseName: name,
      port: CPU_SCHEDULER_PORT,
      logLevel: settings.logLevel,
    });
    new kubernetes.apps.v1.Deployment(
      name,
      {
        metadata,
        spec: {
          replicas: settings.replicas,
          selector: { matchLabels: labels },
          template: {
            metadata: { labels, annotations: scraped(CPU_SCHEDULER_PORT) },
            spec: {
              serviceAccountName: rbac.serviceAccountName,
              priorityClassName: 'system-cluster-critical',
              securityContext: restrictedPod(),
              affinity: spreadOverNodes(labels),
              containers: [
                {
                  name,
                  image: args.image,
                  env: [
                    ...env,
                    { name: cpuSchedulerSettings.promUrl.env, value: args.prometheusUrl },
                    {
                      name: cpuSchedulerSettings.podName.env,
                      valueFrom: { fieldRef: { fieldPath: 'metadata.name' } },
                    },
                  ],
                  ports: [{ name: 'http', containerPort: CPU_SCHEDULER_PORT }],
                  securityContext: restrictedContainer,
                  resources: {
                    requests: { cpu: '50m', memory: '96Mi' },
                    limits: { memory: '512Mi' },
                  },
                  ...httpProbes(CPU_SCHEDULER_PORT),
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
      { metadata, spec: { selector: labels, ports: [{ name: 'http', port: CPU_SCHEDULER_PORT }] } },
      inside,
    );
    this.url = pulumi.interpolate`http://${service.metadata.name}.${service.metadata.namespace}.svc:${CPU_SCHEDULER_PORT}`;
    this.registerOutputs({ url: this.url });
  }
}
