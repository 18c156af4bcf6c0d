import * as kubernetes from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import { proberSettings } from '../../runtime/prober/settings';
import { settingsToEnv } from '../../runtime/shared/settings';
import { httpProbes, restrictedContainer, restrictedPod, scraped } from '../pod';

export const PROBER_PORT = 3000;
const CGROUP_ROOT = '/host/sys/fs/cgroup';

export interface ProberArgs {
  /** With nodeCgroups its Pod Security level must allow hostPath volumes. */
  readonly namespace: pulumi.Input<string>;
  readonly image: pulumi.Input<string>;
  /**
   * True where nodes are containers, which share one machine: their CPU is read from their control groups, which takes
   * a read-only hostPath. Otherwise /proc tells, and the pods keep to the `restricted` level.
   */
  readonly nodeCgroups: boolean;
  readonly settings: {
    readonly landmarks?: number | undefined;
    readonly latencyFullScaleMs?: number | undefined;
    /** For labs: NODE/NODE=MILLISECONDS,… that the echo adds. */
    readonly simulatedLatenciesMs?: string | undefined;
    readonly logLevel: string;
  };
}

/** A prober on every node; a headless Service by which they find one another, and one that leads to that of the node. */
export class Prober extends pulumi.ComponentResource {
  /** `host:port` that leads to the prober of the node of whoever asks. */
  readonly localAddress: pulumi.Output<string>;
  /** Label selector of the pods. */
  readonly selector: string;
  readonly port = PROBER_PORT;

  constructor(name: string, args: ProberArgs, options: pulumi.ComponentResourceOptions) {
    super('berth:services:Prober', name, {}, options);
    const { namespace, settings } = args;
    const inside = { parent: this };
    const labels = { 'app.kubernetes.io/name': name };
    this.selector = `app.kubernetes.io/name=${name}`;
    const ports = [{ name: 'http', port: PROBER_PORT }];
    const peersName = `${name}-peers`;
    const peers = new kubernetes.core.v1.Service(
      peersName,
      {
        metadata: { name: peersName, namespace, labels },
        // A prober that has just started is measured to before it has measured anything itself.
        spec: { clusterIP: 'None', publishNotReadyAddresses: true, selector: labels, ports },
      },
      inside,
    );
    const local = new kubernetes.core.v1.Service(
      name,
      {
        metadata: { name, namespace, labels },
        spec: { internalTrafficPolicy: 'Local', selector: labels, ports },
      },
      inside,
    );
    const host = (service: kubernetes.core.v1.Service) =>
      pulumi.interpolate`${service.metadata.name}.${service.metadata.namespace}.svc`;
    const env = settingsToEnv(proberSettings, {
      cpuSource: args.nodeCgroups ? 'auto' : 'proc',
      ...(args.nodeCgroups && { cgroupRoot: CGROUP_ROOT }),
      peersPort: PROBER_PORT,
      landmarks: settings.landmarks,
      latencyFullScaleMs: settings.latencyFullScaleMs,
      simulatedLatenciesMs: settings.simulatedLatenciesMs,
      port: PROBER_PORT,
      logLevel: settings.logLevel,
    });
    const fromPod = (setting: { readonly env: string }, fieldPath: string) => ({
      name: setting.env,
      valueFrom: { fieldRef: { fieldPath } },
    });
    const cgroup = 'cgroup';
    new kubernetes.apps.v1.DaemonSet(
      name,
      {
        metadata: { name, namespace, labels },
        spec: {
          selector: { matchLabels: labels },
          updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1 } },
          template: {
            metadata: { labels, annotations: scraped(PROBER_PORT) },
            spec: {
              automountServiceAccountToken: false,
              priorityClassName: 'system-node-critical',
              securityContext: restrictedPod(),
              // Also nodes that take no other pods are somewhere, and are busy.
              tolerations: [{ operator: 'Exists' }],
              containers: [
                {
                  name,
                  image: args.image,
                  env: [
                    ...env,
                    { name: proberSettings.peersDns.env, value: host(peers) },
                    fromPod(proberSettings.nodeName, 'spec.nodeName'),
                    fromPod(proberSettings.podIp, 'status.podIP'),
                  ],
                  ports: [{ name: 'http', containerPort: PROBER_PORT }],
                  securityContext: restrictedContainer,
                  resources: {
                    requests: { cpu: '20m', memory: '64Mi' },
                    limits: { memory: '192Mi' },
                  },
                  ...(args.nodeCgroups && {
                    volumeMounts: [{ name: cgroup, mountPath: CGROUP_ROOT, readOnly: true }],
                  }),
                  ...httpProbes(PROBER_PORT),
                },
              ],
              ...(args.nodeCgroups && {
                volumes: [
                  { name: cgroup, hostPath: { path: '/sys/fs/cgroup', type: 'Directory' } },
                ],
              }),
            },
          },
        },
      },
      inside,
    );
    this.localAddress = pulumi.interpolate`${host(local)}:${PROBER_PORT}`;
    this.registerOutputs({ localAddress: this.localAddress });
  }
}
