import * as kubernetes from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import { latencyExtenderRbac } from '../../runtime/latency-extender/rbac';
import { latencyExtenderSettings } from '../../runtime/latency-extender/settings';
import { settingsToEnv } from '../../runtime/shared/settings';
import { httpProbes, restrictedContainer, restrictedPod, scraped } from '../pod';
import { podTls } from '../pod-tls';
import { ServiceRbac } from '../rbac';

export const LATENCY_EXTENDER_PORT = 3001;
const SECOND_MS = 1000;
const TLS_FOLDER = '/etc/latency-extender-tls';

export interface LatencyExtenderArgs {
  readonly namespace: pulumi.Input<string>;
  readonly image: pulumi.Input<string>;
  readonly prometheusUrl: pulumi.Input<string>;
  /** Whose pods it follows. */
  readonly schedulerName: string;
  /** Where the probers' pods are. */
  readonly probers: {
    readonly namespace: pulumi.Input<string>;
    readonly selector: string;
    readonly port: number;
  };
  readonly settings: {
    readonly replicas: number;
    /** When no node has a fresh probe: `open` places pods anywhere, `closed` places none. */
    readonly nothingFresh: 'open' | 'closed';
    /** A new replica is not ready before it knows the busiest node, or this has passed. */
    readonly firstTargetWaitSeconds: number;
    readonly logLevel: string;
  };
  /** Name of a Secret with tls.crt, tls.key and ca.crt; with it kube-scheduler needs a certificate of that authority. */
  readonly tlsSecret?: pulumi.Input<string> | undefined;
}

/** Filters and rates nodes for a kube-scheduler. Each replica reads for itself; kube-scheduler asks one of them. */
export class LatencyExtender extends pulumi.ComponentResource {
  /** URL of `/filter`, `/prioritize`, `/state` and the like inside the cluster. */
  readonly url: pulumi.Output<string>;

  constructor(name: string, args: LatencyExtenderArgs, options: pulumi.ComponentResourceOptions) {
    super('berth:services:LatencyExtender', name, {}, options);
    const { namespace, settings, probers, tlsSecret } = args;
    const inside = { parent: this };
    const rbac = new ServiceRbac(name, { namespace, rules: latencyExtenderRbac }, inside);
    const labels = { 'app.kubernetes.io/name': name };
    const metadata = { name, namespace, labels };
    const tls = tlsSecret === undefined ? undefined : podTls(tlsSecret, TLS_FOLDER);
    const isTls = tls !== undefined;
    const scheme = isTls ? 'https' : 'http';
    const env = settingsToEnv(latencyExtenderSettings, {
      schedulerName: args.schedulerName,
      nothingFresh: settings.nothingFresh,
      firstTargetWaitMs: settings.firstTargetWaitSeconds * SECOND_MS,
      proberSelector: probers.selector,
      proberPort: probers.port,
      port: LATENCY_EXTENDER_PORT,
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
          replicas: settings.replicas,
          selector: { matchLabels: labels },
          template: {
            metadata: { labels, annotations: scraped(LATENCY_EXTENDER_PORT, isTls) },
            spec: {
              serviceAccountName: rbac.serviceAccountName,
              priorityClassName: 'system-cluster-critical',
              securityContext: restrictedPod(),
              containers: [
                {
                  name,
                  image: args.image,
                  env: [
                    ...env,
                    {
                      name: latencyExtenderSettings.proberNamespace.env,
                      value: probers.namespace,
                    },
                    { name: latencyExtenderSettings.promUrl.env, value: args.prometheusUrl },
                  ],
                  ports: [{ name: scheme, containerPort: LATENCY_EXTENDER_PORT }],
                  securityContext: restrictedContainer,
                  resources: {
                    requests: { cpu: '50m', memory: '96Mi' },
                    limits: { memory: '768Mi' },
                  },
                  ...(tls && { volumeMounts: [tls.volumeMount] }),
                  ...httpProbes(LATENCY_EXTENDER_PORT, isTls),
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
        spec: { selector: labels, ports: [{ name: scheme, port: LATENCY_EXTENDER_PORT }] },
      },
      inside,
    );
    this.url = pulumi.interpolate`${scheme}://${service.metadata.name}.${service.metadata.namespace}.svc:${LATENCY_EXTENDER_PORT}`;
    this.registerOutputs({ url: this.url });
  }
}
