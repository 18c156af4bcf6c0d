import * as kubernetes from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import { settingsToEnv } from '../../runtime/shared/settings';
import { workloadSettings } from '../../runtime/workload/settings';
import type { AutoscalingConfig, ImagesConfig } from '../config-schema';
import { httpProbes, restrictedContainer, restrictedPod } from '../pod';
import { pullSecrets } from '../pull-secret';

/** Where `kubectl scale deployment cpu-stress` finds them without a flag. */
const NAMESPACE = 'default';
const PORT = 8080;

/** How a workload loads a worker. */
interface ScalingTest {
  readonly name: string;
  /** Share of a worker's processors that a pod requests, 0..1. */
  readonly requestedShare: number;
  /** Threads that compute all the time. */
  readonly busyThreads: number;
}

/** Their names are those of the autoscaler's document. */
const SCALING_TESTS: readonly ScalingTest[] = [
  { name: 'cpu-stress', requestedShare: 0.2, busyThreads: 1 },
  // Two to a worker, whatever runs on each node beside them.
  { name: 'pending-pod-test', requestedShare: 0.4, busyThreads: 0 },
];

export interface ScalingTestsArgs {
  readonly image: pulumi.Input<string>;
  readonly registry: ImagesConfig;
  /** Password of registry.username, where that is set. */
  readonly registryPassword?: pulumi.Input<string> | undefined;
  /** What a worker has: requests are shares of it. */
  readonly worker: Pick<AutoscalingConfig['worker'], 'cpus'>;
}

/** Deployments without pods, to make the autoscaler work by `kubectl scale`: one computes, the other only asks for room. */
export class ScalingTests extends pulumi.ComponentResource {
  constructor(name: string, args: ScalingTestsArgs, options: pulumi.ComponentResourceOptions) {
    super('berth:workloads:ScalingTests', name, {}, options);
    const inside = { parent: this };
    const imagePullSecrets = pullSecrets(
      'scaling-tests-registry',
      { namespace: NAMESPACE, images: args.registry, registryPassword: args.registryPassword },
      inside,
    );
    for (const test of SCALING_TESTS) {
      const labels = { 'app.kubernetes.io/name': test.name };
      new kubernetes.apps.v1.Deployment(
        test.name,
        {
          metadata: {
            name: test.name,
            namespace: NAMESPACE,
            labels,
            // Users scale them; what is declared wins over that when it changes.
            annotations: { 'pulumi.com/patchForce': 'true' },
          },
          spec: {
            replicas: 0,
            selector: { matchLabels: labels },
            template: {
              metadata: { labels },
              spec: { ...podOf(test, args), imagePullSecrets },
            },
          },
        },
        inside,
      );
    }
    this.registerOutputs({});
  }
}

function podOf(
  { name, requestedShare, busyThreads }: ScalingTest,
  { image, worker }: ScalingTestsArgs,
) {
  const cpuMillis = Math.max(1, Math.floor(worker.cpus * 1000 * requestedShare));
  return {
    automountServiceAccountToken: false,
    securityContext: restrictedPod(),
    containers: [
      {
        name,
        image,
        // Nothing routes to them, so nothing has to be told when they stop.
        env: settingsToEnv(workloadSettings, {
          ...{ port: PORT, threads: 1, busyThreads, stopDelayMs: 0 },
        }),
        ports: [{ name: 'http', containerPort: PORT }],
        securityContext: restrictedContainer,
        resources: {
          requests: { cpu: `${cpuMillis}m`, memory: '96Mi' },
          // A worker is as busy as it can be before it is full.
          limits: { cpu: `${2 * cpuMillis}m`, memory: '192Mi' },
        },
        ...httpProbes(PORT),
      },
    ],
  };
}
