import assert from 'node:assert/strict';
import * as pulumi from '@pulumi/pulumi';
import { parseEstateConfig } from '../../components/config';
import { declareEstate } from '../../components/estate';
import { DEPLOYMENT, RESTRICTED, SERVICE, envOf, specOf } from './support/pods';
import { only, record, resolved, type Declared } from './support/record';

const AUTOSCALER = 'kubernetes:autoscaling/v2:HorizontalPodAutoscaler';
const CRON_JOB = 'kubernetes:batch/v1:CronJob';
const NAMESPACE = 'kubernetes:core/v1:Namespace';
const RELEASE = 'kubernetes:helm.sh/v3:Release';
const SECRET = 'kubernetes:core/v1:Secret';
const PASSWORD = 'a-password-that-nobody-may-see';
const SECRET_MARK = '4dabf18193072939515e22adb298388d';

const configOf = (experiment: object, systems: object = {}, more: Record<string, unknown> = {}) =>
  parseEstateConfig({
    values: {
      nodes: [{ name: 'node-1', slot: 1 }],
      systems: {
        cpuScheduling: { enabled: false },
        experiment: { enabled: true, ...experiment },
        ...systems,
      },
      ...more,
    },
    keys: [],
    secrets: new Set(['clusterToken', 'registryPassword']),
  });

/** An estate with the experiment on, and nothing else unless it is said. */
const declare = (
  experiment: object = {},
  systems: object = {},
  more: Record<string, unknown> = {},
) =>
  record(() =>
    declareEstate({
      config: configOf(experiment, systems, more),
      secrets: {
        clusterToken: pulumi.secret('token'),
        kubeconfig: undefined,
        registryPassword: pulumi.secret(PASSWORD),
        databasePassword: undefined,
      },
    }),
  );
const find = (declared: readonly Declared[], type: string) =>
  declared.filter((one) => one.type === type);

describe('the experiment', function () {
  this.timeout(300_000);

  it('is off unless it is asked for', async () => {
    const { declared } = await declare({ enabled: false });
    assert.deepEqual(find(declared, AUTOSCALER), []);
    assert.ok(!find(declared, NAMESPACE).some(({ name }) => name === 'workload'));
  });

  it('has two workloads with the names that users know, each with its autoscaler and service', async () => {
    const { declared, result } = await declare();
    for (const suffix of ['', '2']) {
      const deployment = only(declared, DEPLOYMENT, `wl-deployment${suffix}`);
      const { template, replicas } = specOf(deployment);
      assert.equal(replicas, undefined, 'the number of pods is the autoscaler’s');
      const [container] = template.spec.containers;
      assert.deepEqual(
        [(container as { name?: string }).name, template.spec.schedulerName],
        ['wl-container', 'default-scheduler'],
      );
      assert.match(container.image, /^localhost:5000\/berth\/workload@sha256:[0-9a-f]{64}$/);
      assert.equal(envOf(container).THREADS, '1');
      const { spec } = only(declared, AUTOSCALER, `wl-hpa${suffix}`).inputs;
      assert.deepEqual(spec, {
        scaleTargetRef: {
          ...{ apiVersion: 'apps/v1', kind: 'Deployment', name: `wl-deployment${suffix}` },
        },
        minReplicas: 1,
        maxReplicas: 10,
        metrics: [
          {
            type: 'Resource',
            resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } },
          },
        ],
        behavior: { scaleDown: { stabilizationWindowSeconds: 60 } },
      });
      const service = only(declared, SERVICE, `wl-service${suffix}`).inputs.spec as object;
      assert.deepEqual(service, {
        type: 'ClusterIP',
        selector: { 'app.kubernetes.io/name': `wl-deployment${suffix}` },
        ports: [{ name: 'http', port: 6060, targetPort: 'http' }],
      });
      const url = await resolved(pulumi.output(result.urls[`wl-service${suffix}`] ?? ''));
      assert.equal(url.value, `http://wl-service${suffix}.workload.svc:6060`);
    }
  });

  it('keeps to the restricted level, in a namespace that enforces it', async () => {
    const { declared } = await declare();
    const { metadata } = only(declared, NAMESPACE, 'workload').inputs as {
      metadata: { labels: Record<string, string> };
    };
    assert.equal(metadata.labels['pod-security.kubernetes.io/enforce'], 'restricted');
    for (const name of ['wl-deployment', 'wl-deployment2']) {
      const { template } = specOf(only(declared, DEPLOYMENT, name));
      assert.equal(template.spec.automountServiceAccountToken, false);
      assert.equal(template.spec.securityContext.runAsNonRoot, true);
      assert.deepEqual(template.spec.containers[0].securityContext, RESTRICTED);
    }
  });

  it('asks for CPU as configured: autoscalers measure pods against it', async () => {
    const { declared } = await declare({
      ...{ cpuRequest: '250m', minReplicas: 2, maxReplicas: 4, targetCpuPercent: 80 },
      ...{ maxTotalBloatMb: 32, scaleDownStabilizationSeconds: 0, serviceType: 'NodePort' },
    });
    const { template } = specOf(only(declared, DEPLOYMENT, 'wl-deployment2'));
    const container = template.spec.containers[0] as unknown as { resources: object };
    assert.deepEqual(container.resources, {
      requests: { cpu: '250m', memory: '96Mi' },
      limits: { memory: '214Mi' },
    });
    const { MAX_TOTAL_BLOAT_MB, MAX_BLOAT_MB } = envOf(template.spec.containers[0]);
    assert.deepEqual([MAX_TOTAL_BLOAT_MB, MAX_BLOAT_MB], ['32', '32']);
    const { spec } = only(declared, AUTOSCALER, 'wl-hpa').inputs as {
      spec: { minReplicas: number; maxReplicas: number };
    };
    assert.deepEqual([spec.minReplicas, spec.maxReplicas], [2, 4]);
    const service = only(declared, SERVICE, 'wl-service').inputs.spec as { type: string };
    assert.equal(service.type, 'NodePort');
  });

  it('has a load generator that never starts by itself', async () => {
    const { declared } = await declare();
    const { spec } = only(declared, CRON_JOB).inputs as {
      spec: {
        suspend: boolean;
        jobTemplate: {
          spec: {
            backoffLimit: number;
            template: {
              spec: { containers: [{ image: string; args: string[]; securityContext: object }] };
            };
          };
        };
      };
    };
    const job = spec.jobTemplate.spec;
    assert.deepEqual([spec.suspend, job.backoffLimit], [true, 0]);
    const [container] = job.template.spec.containers;
    assert.match(container.image, /^localhost:5000\/berth\/load-generator@sha256:/);
    assert.deepEqual(container.args, ['--ip', 'wl-service.workload.svc', '--port', '6060']);
    assert.deepEqual(container.securityContext, RESTRICTED);
  });

  it('is placed by the scheduler that is configured, where the estate has it', async () => {
    const { declared } = await declare(
      { schedulerName: 'cpu-scheduler' },
      { cpuScheduling: { enabled: true } },
    );
    const { template } = specOf(only(declared, DEPLOYMENT, 'wl-deployment'));
    assert.equal(template.spec.schedulerName, 'cpu-scheduler');
    for (const [name, system] of [
      ['cpu-scheduler', 'cpuScheduling'],
      ['latency-aware-scheduler', 'latencyScheduling'],
    ])
      assert.throws(
        () => configOf({ schedulerName: name }),
        new RegExp(
          `berth:systems.experiment.schedulerName: "${name}" must not be ${name} when ${system}.enabled is false`,
        ),
      );
    assert.throws(
      () => configOf({ schedulerName: 'volcano' }),
      /must be one of default-scheduler, /,
    );
    assert.throws(
      () => configOf({ minReplicas: 5, maxReplicas: 4 }),
      /experiment.minReplicas: 5 must not be above maxReplicas \(4\)/,
    );
  });

  it('pulls from a private registry with a secret that is nowhere in plain text', async () => {
    const images = { registry: 'registry.example:5001/berth', username: 'robot' };
    const { declared } = await declare({}, {}, { images });
    const secret = only(declared, SECRET, 'wl-registry');
    assert.equal(secret.inputs.type, 'kubernetes.io/dockerconfigjson');
    const data = secret.inputs.stringData as Record<string, unknown>;
    assert.ok(SECRET_MARK in data, 'is secret as a whole');
    const plain = data.value as Record<string, string>;
    const content = JSON.parse(plain['.dockerconfigjson'] ?? '') as object;
    const auth = Buffer.from(`robot:${PASSWORD}`).toString('base64');
    assert.deepEqual(content, {
      auths: { 'registry.example:5001': { username: 'robot', password: PASSWORD, auth } },
    });
    const asked = { imagePullSecrets: [{ name: 'wl-registry' }] };
    for (const name of ['wl-deployment', 'wl-deployment2']) {
      const { imagePullSecrets } = specOf(only(declared, DEPLOYMENT, name)).template.spec as {
        imagePullSecrets?: object;
      };
      assert.deepEqual({ imagePullSecrets }, asked);
    }
    const open = await declare();
    assert.deepEqual(find(open.declared, SECRET), []);
  });

  it('has kube-state-metrics tell Prometheus what the dashboard shows, and only then', async () => {
    const asked = async (experiment: object) => {
      const { declared } = await declare(experiment);
      const { values } = only(declared, RELEASE, 'prometheus').inputs as {
        values: { kubeStateMetrics: object; 'kube-state-metrics'?: object };
      };
      return [values.kubeStateMetrics, values['kube-state-metrics']];
    };
    assert.deepEqual(await asked({}), [
      { enabled: true },
      { collectors: ['horizontalpodautoscalers', 'pods'] },
    ]);
    assert.deepEqual(await asked({ enabled: false }), [{ enabled: false }, undefined]);
  });

  it('brings a metrics server only where the cluster has none', async () => {
    const without = await declare();
    assert.ok(!find(without.declared, RELEASE).some(({ name }) => name === 'metrics-server'));
    const platform = { metricsServer: { enabled: true } };
    const { declared } = await declare({}, {}, { platform });
    const { inputs } = only(declared, RELEASE, 'metrics-server');
    assert.deepEqual(
      [inputs.chart, inputs.version, inputs.namespace, inputs.repositoryOpts],
      [
        ...['metrics-server', '3.13.1', 'kube-system'],
        { repo: 'https://kubernetes-sigs.github.io/metrics-server' },
      ],
    );
    assert.deepEqual((inputs.values as { image: object }).image, { tag: 'v0.9.0' });
  });
});
