import * as kubernetes from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import {
  WORKLOAD_CONTAINER,
  WORKLOAD_PORT,
  type WorkloadNames,
} from '../../runtime/experiment/names';
import { settingsToEnv } from '../../runtime/shared/settings';
import { workloadSettings } from '../../runtime/workload/settings';
import type { ExperimentConfig } from '../config-schema';
import { httpProbes, restrictedContainer, restrictedPod, scraped } from '../pod';

export const WORKLOAD_POD_PORT = 8080;
/** One, so that a pod is the unit by which the workload grows. */
const THREADS = 1;
/** What the process takes beside the memory that requests hold, by the workload's README. */
const OWN_MEMORY_MB = 182;

export interface ExperimentWorkloadArgs {
  readonly names: WorkloadNames;
  readonly namespace: pulumi.Input<string>;
  readonly image: pulumi.Input<string>;
  readonly imagePullSecrets: readonly { readonly name: pulumi.Input<string> }[];
  readonly settings: ExperimentConfig;
}

/** A workload to place: a Deployment, its Service, and the autoscaler that holds the CPU of its pods. */
export class ExperimentWorkload extends pulumi.ComponentResource {
  /** URL of the service inside the cluster. */
  readonly url: pulumi.Output<string>;

  constructor(
    name: string,
    args: ExperimentWorkloadArgs,
    options: pulumi.ComponentResourceOptions,
  ) {
    super('berth:workloads:ExperimentWorkload', name, {}, options);
    const { names, namespace, settings } = args;
    const inside = { parent: this };
    const labels = { 'app.kubernetes.io/name': names.deployment };
    const deployment = new kubernetes.apps.v1.Deployment(
      names.deployment,
      {
        metadata: {
          name: names.deployment,
          namespace,
          labels,
          // `npm run experiment` changes the scheduler for a while; what is declared wins over that.
          annotations: { 'pulumi.com/patchForce': 'true' },
        },
        // No number of replicas: that is the autoscaler's.
        spec: { selector: { matchLabels: labels }, template: this.#template(args, labels) },
      },
      inside,
    );
    const service = new kubernetes.core.v1.Service(
      names.service,
      {
        metadata: { name: names.service, namespace, labels },
        spec: {
          type: settings.serviceType,
          selector: labels,
          ports: [{ name: 'http', port: WORKLOAD_PORT, targetPort: 'http' }],
        },
      },
      inside,
    );
    new kubernetes.autoscaling.v2.HorizontalPodAutoscaler(
      names.autoscaler,
      {
        metadata: { name: names.autoscaler, namespace, labels },
        spec: {
          scaleTargetRef: {
            apiVersion: 'apps/v1',
            kind: 'Deployment',
            name: deployment.metadata.name,
          },
          minReplicas: settings.minReplicas,
          maxReplicas: settings.maxReplicas,
          metrics: [
            {
              type: 'Resource',
              resource: {
                name: 'cpu',
                target: { type: 'Utilization', averageUtilization: settings.targetCpuPercent },
              },
            },
          ],
          behavior: {
            scaleDown: { stabilizationWindowSeconds: settings.scaleDownStabilizationSeconds },
          },
        },
      },
      inside,
    );
    this.url = pulumi.interpolate`http://${service.metadata.name}.${service.metadata.namespace}.svc:${WORKLOAD_PORT}`;
    this.registerOutputs({ url: this.url });
  }

  #template({ image, imagePullSecrets, settings }: ExperimentWorkloadArgs, labels: object) {
    const env = settingsToEnv(workloadSettings, {
      port: WORKLOAD_POD_PORT,
      threads: THREADS,
      maxTotalBloatMb: settings.maxTotalBloatMb,
      maxBloatMb: Math.min(settings.maxTotalBloatMb, 64),
      logLevel: settings.logLevel,
    });
    return {
      metadata: { labels: { ...labels }, annotations: scraped(WORKLOAD_POD_PORT) },
      spec: {
        schedulerName: settings.schedulerName,
        automountServiceAccountToken: false,
        securityContext: restrictedPod(),
        imagePullSecrets: [...imagePullSecrets],
        containers: [
          {
            name: WORKLOAD_CONTAINER,
            image,
            env,
            ports: [{ name: 'http', containerPort: WORKLOAD_POD_PORT }],
            securityContext: restrictedContainer,
            resources: {
              requests: { cpu: settings.cpuRequest, memory: '96Mi' },
              limits: { memory: `${settings.maxTotalBloatMb + OWN_MEMORY_MB}Mi` },
            },
            ...httpProbes(WORKLOAD_POD_PORT),
          },
        ],
      },
    };
  }
}
