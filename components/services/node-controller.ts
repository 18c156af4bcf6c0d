import * as kubernetes from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import { nodeControllerRbac } from '../../runtime/node-controller/rbac';
import { nodeControllerSettings } from '../../runtime/node-controller/settings';
import { settingsToEnv } from '../../runtime/shared/settings';
import type { EventScalingConfig } from '../config-schema';
import { NODE_CONTROLLER_NAME as NAME, type CpuQueries } from '../plan';
import { httpProbes, restrictedContainer, restrictedPod, scraped, spreadOverNodes } from '../pod';
import { ServiceRbac } from '../rbac';

export const NODE_CONTROLLER_PORT = 8090;
const SECOND_MS = 1000;

export interface NodeControllerArgs {
  /** Namespace of the analyzers, in which it also runs. */
  readonly namespace: pulumi.Input<string>;
  readonly image: pulumi.Input<string>;
  /** Name of the ConfigMap whose key PROM_URL is the URL of Prometheus. */
  readonly prometheusConfigMap: pulumi.Input<string>;
  readonly queries: CpuQueries;
  readonly settings: EventScalingConfig;
}

/** The node controller: two replicas of which one leads, and a Service for its count. */
export class NodeController extends pulumi.ComponentResource {
  /** URL of `/last`, `/metrics` and the like inside the cluster. */
  readonly url: pulumi.Output<string>;

  constructor(name: string, args: NodeControllerArgs, options: pulumi.ComponentResourceOptions) {
    super('berth:services:NodeController', name, {}, options);
    const { namespace, settings } = args;
    const inside = { parent: this };
    const releaseJobs = settings.release === 'jobs';
    const rules = nodeControllerRbac({ releaseJobs });
    const rbac = new ServiceRbac(NAME, { namespace, rules }, inside);
    const labels = { 'app.kubernetes.io/name': NAME };
    const metadata = { name: NAME, namespace, labels };
    const env = settingsToEnv(nodeControllerSettings, {
      cpuQuery: args.queries.cpuQuery,
      cpuTimeQuery: args.queries.cpuTimeQuery,
      cpuThreshold: settings.thresholdRatio,
      readingMaxAgeMs: settings.lastGoodMaxAgeSeconds * SECOND_MS,
      excludeNodes: settings.excludeNodes.join(','),
      controllerIntervalMs: settings.controllerIntervalSeconds * SECOND_MS,
      manageEligible: settings.manageEligible,
      releaseJobs,
      leaseName: NAME,
      port: NODE_CONTROLLER_PORT,
      logLevel: settings.logLevel,
    });
    const { promUrl, podName, leaseNamespace, namespace: jobsNamespace } = nodeControllerSettings;
    new kubernetes.apps.v1.Deployment(
      NAME,
      {
        metadata,
        spec: {
          replicas: 2,
          selector: { matchLabels: labels },
          template: {
            metadata: { labels, annotations: scraped(NODE_CONTROLLER_PORT) },
            spec: {
              serviceAccountName: rbac.serviceAccountName,
              securityContext: restrictedPod(),
              affinity: spreadOverNodes(labels),
              containers: [
                {
                  name: NAME,
                  image: args.image,
                  env: [
                    ...env,
                    {
                      name: promUrl.env,
                      valueFrom: {
                        configMapKeyRef: { name: args.prometheusConfigMap, key: 'PROM_URL' },
                      },
                    },
                    // The Lease, the Jobs and the Role are all in the namespace that it runs in.
                    ...[leaseNamespace.env, jobsNamespace.env].map((variable) => ({
                      name: variable,
                      valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } },
                    })),
                    {
                      name: podName.env,
                      valueFrom: { fieldRef: { fieldPath: 'metadata.name' } },
                    },
                  ],
                  ports: [{ name: 'http', containerPort: NODE_CONTROLLER_PORT }],
                  securityContext: restrictedContainer,
                  resources: {
                    requests: { cpu: '20m', memory: '64Mi' },
                    limits: { memory: '256Mi' },
                  },
                  ...httpProbes(NODE_CONTROLLER_PORT),
                },
              ],
            },
          },
        },
      },
      inside,
    );
    const service = new kubernetes.core.v1.Service(
      NAME,
      {
        metadata,
        spec: { selector: labels, ports: [{ name: 'http', port: NODE_CONTROLLER_PORT }] },
      },
      inside,
    );
    this.url = pulumi.interpolate`http://${service.metadata.name}.${service.metadata.namespace}.svc:${NODE_CONTROLLER_PORT}`;
    this.registerOutputs({ url: this.url });
  }
}
