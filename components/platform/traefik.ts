import * as kubernetes from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import type { TraefikConfig } from '../config-schema';
import { podSecurity } from '../namespaces';
import type { Guard } from '../network/guard';
import { chartArgs } from './helm-release';

/** Where each of Traefik's pods answers Prometheus, on `/metrics`. */
export const TRAEFIK_METRICS_PORT = 9100;
/** Where its pods take requests at the entry points `web` and `websecure`: the chart's own choice. */
export const TRAEFIK_WEB_PORT = 8000;
export const TRAEFIK_WEBSECURE_PORT = 8443;

/**
 * Traefik in a namespace of its own: one pinned Helm release, and a headless Service that leads to the metrics of each of
 * its pods. Whoever declares IngressRoutes depends on it, for it brings their definitions.
 */
export class Traefik extends pulumi.ComponentResource {
  /** URL of the entry point `web` inside the cluster. */
  readonly url: pulumi.Output<string>;
  /** Headless Service with one address for each of Traefik's pods. */
  readonly metricsServiceName: pulumi.Output<string>;

  constructor(
    name: string,
    args: { readonly traefik: TraefikConfig; readonly guard: Guard },
    options: pulumi.ComponentResourceOptions,
  ) {
    super('berth:platform:Traefik', name, {}, options);
    const { release } = args.traefik;
    const inside = { parent: this };
    const { metadata } = new kubernetes.core.v1.Namespace(
      `${name}-namespace`,
      { metadata: { name: args.traefik.namespace, labels: podSecurity('restricted') } },
      inside,
    );
    const namespace = args.guard(metadata.name, args.traefik.namespace, this);
    const helm = new kubernetes.helm.v3.Release(
      name,
      {
        ...chartArgs(args.traefik),
        namespace,
        values: traefikValues(args.traefik),
      },
      inside,
    );
    const metricsName = `${name}-metrics`;
    const metrics = new kubernetes.core.v1.Service(
      metricsName,
      {
        metadata: { name: metricsName, namespace },
        spec: {
          clusterIP: 'None',
          selector: {
            'app.kubernetes.io/name': 'traefik',
            'app.kubernetes.io/instance': release,
          },
          ports: [
            { name: 'metrics', port: TRAEFIK_METRICS_PORT, targetPort: TRAEFIK_METRICS_PORT },
          ],
        },
      },
      // Pulumi waits until a Service has somebody to lead to.
      { ...inside, dependsOn: [helm] },
    );
    this.url = pulumi.interpolate`http://${release}.${helm.status.namespace}.svc`;
    this.metricsServiceName = metrics.metadata.name;
    this.registerOutputs({ url: this.url, metricsServiceName: this.metricsServiceName });
  }
}

/** Values of the official chart. It annotates the pods itself, so that Prometheus scrapes them. */
function traefikValues({ release, kind, replicas, serviceType }: TraefikConfig) {
  const everyNode = kind === 'DaemonSet';
  return {
    fullnameOverride: release,
    instanceLabelOverride: release,
    global: { checkNewVersion: false, sendAnonymousUsage: false },
    deployment: everyNode ? { kind } : { kind, replicas },
    ...(everyNode && { tolerations: [{ operator: 'Exists' }] }),
    api: { dashboard: false },
    ingressClass: { enabled: false },
    providers: {
      kubernetesCRD: { enabled: true, allowCrossNamespace: false },
      kubernetesIngress: { enabled: false },
    },
    metrics: {
      prometheus: {
        entryPoint: 'metrics',
        addEntryPointsLabels: true,
        addRoutersLabels: true,
        addServicesLabels: true,
      },
    },
    ports: { metrics: { port: TRAEFIK_METRICS_PORT } },
    service: {
      spec: {
        type: serviceType,
        // The metrics say by the hosting node where requests come in: so it is the node's own Traefik that takes them.
        ...(everyNode && { internalTrafficPolicy: 'Local' }),
        ...(everyNode && serviceType !== 'ClusterIP' && { externalTrafficPolicy: 'Local' }),
      },
    },
    // On a busy board a healthy Traefik may take longer than two seconds to answer, and more than once.
    readinessProbe: { timeoutSeconds: 5, failureThreshold: 3 },
    livenessProbe: { timeoutSeconds: 5 },
    resources: { requests: { cpu: '25m', memory: '100Mi' }, limits: { memory: '256Mi' } },
  };
}
