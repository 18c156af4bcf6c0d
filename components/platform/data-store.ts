import * as kubernetes from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import { restrictedContainer, restrictedPod } from '../pod';

/** A server of one replica that keeps its data on a volume. */
export interface DataStoreArgs {
  readonly namespace: pulumi.Input<string>;
  readonly image: string;
  /** The user of the image. */
  readonly uid: number;
  readonly port: number;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value: string }[];
  /** Where the volume is seen. */
  readonly dataPath: string;
  readonly storageGb: number;
  /** Storage class of the volume; empty for the cluster's default. */
  readonly storageClass: string;
  /** What nobody may see: as environment, or as files of a folder. */
  readonly secret: Readonly<Record<string, pulumi.Input<string>>>;
  /** Where the secret is a folder of files; as environment where there is none. */
  readonly secretPath?: string;
  /** Refuses to be deleted or replaced. */
  readonly protect: boolean;
  readonly memory: { readonly request: string; readonly limit: string };
}

/**
 * A StatefulSet of one replica with its Secret, its volume claim and its Service, reachable only inside the cluster. The
 * volume goes when the StatefulSet does.
 */
export class DataStore extends pulumi.ComponentResource {
  /** `host:port` inside the cluster. */
  readonly address: pulumi.Output<string>;

  constructor(name: string, args: DataStoreArgs, options: pulumi.ComponentResourceOptions) {
    super('berth:platform:DataStore', name, {}, options);
    const { namespace, port, secretPath } = args;
    const labels = { 'app.kubernetes.io/name': name };
    const metadata = { name, namespace, labels };
    const inside = { parent: this };
    const core = kubernetes.core.v1;
    const secret = new core.Secret(name, { metadata, stringData: args.secret }, inside);
    const service = new core.Service(
      name,
      { metadata, spec: { selector: labels, ports: [{ name, port }] } },
      inside,
    );
    const container = {
      name,
      image: args.image,
      ...(args.command && { command: [...args.command] }),
      ...(args.args && { args: [...args.args] }),
      env: [...(args.env ?? [])],
      ...(secretPath === undefined && {
        envFrom: [{ secretRef: { name: secret.metadata.name } }],
      }),
      ports: [{ name, containerPort: port }],
      securityContext: restrictedContainer,
      resources: {
        requests: { cpu: '20m', memory: args.memory.request },
        limits: { memory: args.memory.limit },
      },
      readinessProbe: { tcpSocket: { port }, periodSeconds: 2 },
      volumeMounts: [
        { name: 'data', mountPath: args.dataPath },
        { name: 'tmp', mountPath: '/tmp' },
        ...(secretPath === undefined
          ? []
          : [{ name: 'secret', mountPath: secretPath, readOnly: true }]),
      ],
    };
    new kubernetes.apps.v1.StatefulSet(
      name,
      {
        metadata,
        spec: {
          replicas: 1,
          serviceName: name,
          // Ordered, a pod that fails would never be replaced by a mended one.
          podManagementPolicy: 'Parallel',
          persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete', whenScaled: 'Retain' },
          selector: { matchLabels: labels },
          template: {
            metadata: { labels },
            spec: {
              automountServiceAccountToken: false,
              securityContext: restrictedPod(args.uid),
              containers: [container],
              volumes: [
                { name: 'tmp', emptyDir: {} },
                ...(secretPath === undefined
                  ? []
                  : [
                      {
                        name: 'secret',
                        secret: { secretName: secret.metadata.name, defaultMode: 0o440 },
                      },
                    ]),
              ],
            },
          },
          volumeClaimTemplates: [
            {
              metadata: { name: 'data' },
              spec: {
                accessModes: ['ReadWriteOnce'],
                ...(args.storageClass === '' ? {} : { storageClassName: args.storageClass }),
                resources: { requests: { storage: `${args.storageGb}Gi` } },
              },
            },
          ],
        },
      },
      { ...inside, dependsOn: [secret], protect: args.protect },
    );
    this.address = pulumi.interpolate`${service.metadata.name}.${service.metadata.namespace}.svc:${port}`;
    this.registerOutputs({ address: this.address });
  }
}
