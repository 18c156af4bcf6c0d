import * as kubernetes from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import { analyzerSettings } from '../../runtime/analyzer/settings';
import { settingsToEnv } from '../../runtime/shared/settings';
import type { PostureConfig } from '../config-schema';
import { CPU_SCHEDULER_NAME, postureAffinity, postureJobName } from '../plan';
import type { Mosquitto } from '../platform/mosquitto';
import { restrictedContainer, restrictedPod, SERVICE_UID } from '../pod';

export interface PostureJobsArgs {
  readonly namespace: pulumi.Input<string>;
  /** Image of each analyzer, by app. */
  readonly images: Readonly<Record<string, pulumi.Input<string>>>;
  readonly broker: Mosquitto;
  readonly posture: PostureConfig;
  /** Password of posture.database.user, where the database is on. */
  readonly databasePassword?: pulumi.Input<string> | undefined;
}

/** The ten posture analyzers as Jobs that the CPU-aware scheduler places. */
export class PostureJobs extends pulumi.ComponentResource {
  constructor(name: string, args: PostureJobsArgs, options: pulumi.ComponentResourceOptions) {
    super('berth:workloads:PostureJobs', name, {}, options);
    const password = this.databaseSecret(name, args);
    for (const [app, image] of Object.entries(args.images))
      new kubernetes.batch.v1.Job(postureJobName(app), postureJob(app, image, args, password), {
        parent: this,
        deleteBeforeReplace: true,
      });
    this.registerOutputs({});
  }

  /** Reference to the database password in a Secret, where the database is on. */
  private databaseSecret(name: string, args: PostureJobsArgs) {
    if (!args.posture.database.enabled || args.databasePassword === undefined) return [];
    const secret = new kubernetes.core.v1.Secret(
      `${name}-database`,
      {
        metadata: { name: `${name}-database`, namespace: args.namespace },
        stringData: { password: pulumi.secret(args.databasePassword) },
      },
      { parent: this },
    );
    return [
      {
        name: analyzerSettings.dbPassword.env,
        valueFrom: { secretKeyRef: { name: secret.metadata.name, key: 'password' } },
      },
    ];
  }
}

function postureJob(
  app: string,
  image: pulumi.Input<string>,
  { namespace, broker, posture }: PostureJobsArgs,
  passwordEnv: kubernetes.types.input.core.v1.EnvVar[],
): kubernetes.batch.v1.JobArgs {
  const labels = { app: 'posture', 'app.kubernetes.io/name': postureJobName(app) };
  const { outputDirectory } = posture;
  const env = settingsToEnv(analyzerSettings, {
    mqttPort: broker.port,
    maxImages: posture.maxImages,
    idleTimeoutMs: posture.idleTimeoutSeconds * 1000,
    workers: posture.workers,
    outputDir: outputDirectory,
    ...(posture.database.enabled
      ? {
          dbEnabled: true,
          dbHost: posture.database.host,
          dbPort: posture.database.port,
          dbName: posture.database.name,
          dbUser: posture.database.user,
        }
      : {}),
  });
  const output = { name: 'output', mountPath: outputDirectory };
  return {
    metadata: {
      name: postureJobName(app),
      namespace,
      labels,
      // A job runs for as long as its images take: an update does not wait for it.
      annotations: { 'pulumi.com/skipAwait': 'true' },
    },
    spec: {
      backoffLimit: 3,
      // A pod that was evicted so that it can run elsewhere has not failed.
      podFailurePolicy: {
        rules: [
          { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
        ],
      },
      template: {
        metadata: { labels },
        spec: {
          schedulerName: CPU_SCHEDULER_NAME,
          restartPolicy: 'Never',
          automountServiceAccountToken: false,
          terminationGracePeriodSeconds: 30,
          affinity: { nodeAffinity: postureAffinity(posture) },
          securityContext: restrictedPod(),
          initContainers: [ownOutputDirectory(image, output)],
          containers: [
            {
              name: 'analyzer',
              image,
              env: [
                ...env,
                { name: analyzerSettings.mqttBroker.env, value: broker.host },
                {
                  name: analyzerSettings.nodeName.env,
                  valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } },
                },
                ...passwordEnv,
              ],
              securityContext: restrictedContainer,
              resources: {
                requests: { cpu: posture.cpuRequest, memory: posture.memoryRequest },
                limits: { memory: '1Gi' },
              },
              volumeMounts: [output, { name: 'tmp', mountPath: '/tmp' }],
            },
          ],
          volumes: [
            {
              name: 'output',
              hostPath: { path: outputDirectory, type: 'DirectoryOrCreate' },
            },
            { name: 'tmp', emptyDir: {} },
          ],
        },
      },
    },
  };
}

/**
 * Gives the node's output folder, which the kubelet makes as root's, to the analyzer's user. It is the one
 * container of the estate that runs as root, with the one capability that this takes.
 */
function ownOutputDirectory(
  image: pulumi.Input<string>,
  output: { readonly name: string; readonly mountPath: string },
) {
  return {
    name: 'own-output',
    image,
    command: ['chown', `${SERVICE_UID}:${SERVICE_UID}`, output.mountPath],
    securityContext: {
      ...restrictedContainer,
      runAsNonRoot: false,
      runAsUser: 0,
      runAsGroup: 0,
      capabilities: { drop: ['ALL'], add: ['CHOWN'] },
    },
    resources: { requests: { cpu: '1m', memory: '8Mi' } },
    volumeMounts: [output],
  };
}
