import * as kubernetes from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import { createHash } from 'node:crypto';
import { restrictedContainer, restrictedPod, spreadOverNodes } from '../pod';
import { podTls } from '../pod-tls';
import { ServiceRbac } from '../rbac';
import {
  kubeSchedulerConfiguration,
  kubeSchedulerFlags,
  latencySchedulerRbac,
} from './latency-scheduler-config';

const PORT = 10_259;
const CONFIG_FOLDER = '/etc/kube-scheduler';
const CONFIG_FILE = 'config.yaml';
const TLS_FOLDER = '/etc/kube-scheduler-tls';

export interface LatencySchedulerArgs {
  readonly namespace: pulumi.Input<string>;
  /** A kube-scheduler of the cluster's own version. */
  readonly image: pulumi.Input<string>;
  readonly extenderUrl: pulumi.Input<string>;
  /** What it shows an extender that speaks TLS. */
  readonly tls?:
    | {
        /** Name of a Secret with tls.crt, tls.key and ca.crt. */
        readonly secret: pulumi.Input<string>;
        /** Another one whenever the authority is; undefined where only others know. */
        readonly authority: pulumi.Input<string> | undefined;
      }
    | undefined;
  readonly settings: {
    readonly replicas: number;
    readonly httpTimeoutSeconds: number;
    /** True places pods without the extender when it fails; false lets them wait. */
    readonly ignorable: boolean;
  };
}

/** A kube-scheduler that ranks nodes by the latency extender alone; its name is the component's. One replica leads. */
export class LatencyScheduler extends pulumi.ComponentResource {
  constructor(name: string, args: LatencySchedulerArgs, options: pulumi.ComponentResourceOptions) {
    super('berth:services:LatencyScheduler', name, {}, options);
    const { namespace, settings } = args;
    const inside = { parent: this };
    const rules = latencySchedulerRbac(name);
    const rbac = new ServiceRbac(name, { namespace, rules }, inside);
    const labels = { 'app.kubernetes.io/name': name };
    const metadata = { name, namespace, labels };
    const tls = args.tls && podTls(args.tls.secret, TLS_FOLDER);
    // JSON is YAML.
    const text = pulumi.all([args.extenderUrl, namespace]).apply(([extenderUrl, leaseNamespace]) =>
      JSON.stringify(
        kubeSchedulerConfiguration({
          schedulerName: name,
          extenderUrl,
          tls: tls?.files,
          nodeCacheCapable: true,
          httpTimeoutSeconds: settings.httpTimeoutSeconds,
          ignorable: settings.ignorable,
          leaseNamespace,
        }),
        undefined,
        2,
      ),
    );
    const config = new kubernetes.core.v1.ConfigMap(
      name,
      { metadata, data: { [CONFIG_FILE]: text } },
      inside,
    );
    const probe = (path: string) => ({
      httpGet: { path, port: PORT, scheme: 'HTTPS' },
      timeoutSeconds: 5,
    });
    new kubernetes.apps.v1.Deployment(
      name,
      {
        metadata,
        spec: {
          replicas: settings.replicas,
          selector: { matchLabels: labels },
          template: {
            metadata: {
              labels,
              // It reads its configuration and the authority once: others take other pods. Renewed certificates it takes up.
              annotations: {
                'berth.dev/config-sha256': text.apply(sha256),
                ...(args.tls?.authority !== undefined && {
                  'berth.dev/authority-sha256': pulumi.output(args.tls.authority).apply(sha256),
                }),
              },
            },
            spec: {
              serviceAccountName: rbac.serviceAccountName,
              priorityClassName: 'system-cluster-critical',
              securityContext: restrictedPod(),
              affinity: spreadOverNodes(labels),
              containers: [
                {
                  name,
                  image: args.image,
                  command: [
                    'kube-scheduler',
                    ...kubeSchedulerFlags(`${CONFIG_FOLDER}/${CONFIG_FILE}`, '0.0.0.0', PORT),
                  ],
                  ports: [{ name: 'https', containerPort: PORT }],
                  securityContext: restrictedContainer,
                  resources: {
                    requests: { cpu: '50m', memory: '64Mi' },
                    limits: { memory: '512Mi' },
                  },
                  volumeMounts: [
                    { name: 'config', mountPath: CONFIG_FOLDER, readOnly: true },
                    ...(tls ? [tls.volumeMount] : []),
                  ],
                  livenessProbe: { ...probe('/livez'), periodSeconds: 10, failureThreshold: 6 },
                  readinessProbe: { ...probe('/readyz'), periodSeconds: 2 },
                  startupProbe: { ...probe('/livez'), periodSeconds: 1, failureThreshold: 120 },
                },
              ],
              volumes: [
                { name: 'config', configMap: { name: config.metadata.name } },
                ...(tls ? [tls.volume] : []),
              ],
            },
          },
        },
      },
      inside,
    );
    this.registerOutputs({});
  }
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
