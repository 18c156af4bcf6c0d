import * as kubernetes from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import { analyzerSettings } from '../../runtime/analyzer/settings';
import { settingsToEnv, type EnvVar } from '../../runtime/shared/settings';
import type { PostureConfig } from '../config-schema';
import type { Mosquitto } from '../platform/mosquitto';
import { restrictedContainer, restrictedPod, SERVICE_UID } from '../pod';

/** What the analyzers of a workload have in common. */
export interface AnalyzersArgs {
  readonly namespace: pulumi.Input<string>;
  /** Image of each analyzer, by app. */
  readonly images: Readonly<Record<string, pulumi.Input<string>>>;
  readonly broker: Mosquitto;
  readonly posture: PostureConfig;
  /** Password of posture.database.user, where the database is on. */
  readonly databasePassword?: pulumi.Input<string> | undefined;
}

type PodEnv = kubernetes.types.input.core.v1.EnvVar;

/** The settings of every analyzer but the broker's host and the secrets. */
export function analyzerEnv({ broker, posture }: AnalyzersArgs): EnvVar[] {
  return settingsToEnv(analyzerSettings, {
    mqttPort: broker.port,
    maxImages: posture.maxImages,
    idleTimeoutMs: posture.idleTimeoutSeconds * 1000,
    workers: posture.workers,
    outputDir: posture.outputDirectory,
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
}

/** Puts the database password into a Secret `<name>-database`, where the database is on, and refers to it. */
export function databasePasswordEnv(
  name: string,
  { posture, databasePassword, namespace }: AnalyzersArgs,
  parent: pulumi.Resource,
): PodEnv[] {
  if (!posture.database.enabled || databasePassword === undefined) return [];
  const secret = new kubernetes.core.v1.Secret(
    `${name}-database`,
    {
      metadata: { name: `${name}-database`, namespace },
      stringData: { password: pulumi.secret(databasePassword) },
    },
    { parent },
  );
  return [
    {
      name: analyzerSettings.dbPassword.env,
      valueFrom: { secretKeyRef: { name: secret.metadata.name, key: 'password' } },
    },
  ];
}

/** What is the same for the Jobs of every analyzer. */
export const analyzerJobSpec = {
  backoffLimit: 3,
  // A pod that was evicted so that it can run elsewhere has not failed.
  podFailurePolicy: {
    rules: [{ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] }],
  },
};

/** What differs between the pods of one workload and another. */
export interface AnalyzerPodArgs {
  readonly image: pulumi.Input<string>;
  readonly schedulerName: string;
  readonly affinity: kubernetes.types.input.core.v1.Affinity;
  /** Settings, where they are not in a ConfigMap. The broker's host and the node's name come by themselves. */
  readonly env?: readonly PodEnv[];
  /** Name of a ConfigMap with the settings. */
  readonly settingsFrom?: pulumi.Input<string>;
  /** References to secrets. */
  readonly secrets: readonly PodEnv[];
}

/** The pod of one analyzer. */
export function analyzerPod(
  { broker, posture }: AnalyzersArgs,
  pod: AnalyzerPodArgs,
): kubernetes.types.input.core.v1.PodSpec {
  const { outputDirectory } = posture;
  const output = { name: 'output', mountPath: outputDirectory };
  return {
    schedulerName: pod.schedulerName,
    restartPolicy: 'Never',
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: 30,
    affinity: pod.affinity,
    securityContext: restrictedPod(),
    initContainers: [ownOutputDirectory(pod.image, output)],
    containers: [
      {
        name: 'analyzer',
        image: pod.image,
        ...(pod.settingsFrom && { envFrom: [{ configMapRef: { name: pod.settingsFrom } }] }),
        env: [
          ...(pod.env ?? []),
          { name: analyzerSettings.mqttBroker.env, value: broker.host },
          {
            name: analyzerSettings.nodeName.env,
            valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } },
          },
          ...pod.secrets,
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
      { name: 'output', hostPath: { path: outputDirectory, type: 'DirectoryOrCreate' } },
      { name: 'tmp', emptyDir: {} },
    ],
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
