import assert from 'node:assert/strict';
import * as pulumi from '@pulumi/pulumi';
import { parseEstateConfig } from '../../components/config';
import { declareEstate } from '../../components/estate';
import { ANALYZER_APPS, dockerCpuQueries, postureJobName } from '../../components/plan';
import { only, record, resolved, type Declared } from './support/record';

const TOKEN = 'a-token-that-nobody-may-see';
const PASSWORD = 'a-password-that-nobody-may-see';
const SECRET_MARK = '4dabf18193072939515e22adb298388d';

const declare = (values: Record<string, unknown> = {}) =>
  record(() =>
    declareEstate({
      config: parseEstateConfig({
        values: { nodes: [{ name: 'node-1', slot: 1 }], ...values },
        keys: [],
        secrets: new Set(['clusterToken', 'databasePassword', 'registryPassword']),
      }),
      secrets: {
        clusterToken: pulumi.secret(TOKEN),
        kubeconfig: undefined,
        registryPassword: pulumi.secret(PASSWORD),
        databasePassword: pulumi.secret(PASSWORD),
      },
    }),
  );

/** The inputs as one would read them in plain state. */
const plainText = (inputs: unknown): string =>
  JSON.stringify(inputs, (_key, value: unknown) =>
    value !== null && typeof value === 'object' && SECRET_MARK in value ? '[secret]' : value,
  );

interface PodTemplate {
  readonly schedulerName?: string;
  readonly securityContext: Record<string, unknown>;
  readonly containers: {
    readonly image: string;
    readonly env: { readonly name: string; readonly value?: string }[];
    readonly securityContext: Record<string, unknown>;
  }[];
}
const podOf = ({ inputs }: Declared) =>
  (inputs.spec as { template: { spec: PodTemplate } }).template.spec;
const env = (pod: PodTemplate) =>
  Object.fromEntries(pod.containers[0]?.env.map(({ name, value }) => [name, value]) ?? []);

describe('the whole estate', function () {
  this.timeout(300_000);

  it('declares ten jobs that the CPU-aware scheduler places, each with its own image by digest', async () => {
    const { declared } = await declare();
    const jobs = declared.filter(({ type }) => type === 'kubernetes:batch/v1:Job');
    assert.deepEqual(
      jobs.map(({ name }) => name),
      ANALYZER_APPS.map(postureJobName),
    );
    for (const [index, job] of jobs.entries()) {
      const pod = podOf(job);
      assert.equal(pod.schedulerName, 'cpu-scheduler');
      assert.match(
        pod.containers[0]?.image ?? '',
        new RegExp(`^localhost:5000/berth/posture-${ANALYZER_APPS[index]}@sha256:[0-9a-f]{64}$`),
      );
    }
  });

  it('gives the scheduler its settings, in its own units', async () => {
    const { declared } = await declare({
      systems: {
        cpuScheduling: { thresholdRatio: 0.8, pollIntervalSeconds: 7, offload: { dryRun: true } },
      },
    });
    const variables = env(podOf(only(declared, 'kubernetes:apps/v1:Deployment', 'cpu-scheduler')));
    assert.equal(variables.CPU_THRESHOLD, '0.8');
    assert.equal(variables.CPU_POLL_INTERVAL_MS, '7000');
    assert.equal(variables.OFFLOAD_DRY_RUN, 'true');
    assert.equal(variables.PROM_URL, 'http://kube-prom-stack-prometheus.monitoring.svc:9090');
    assert.match(variables.CPU_QUERY ?? '', /container_cpu_usage_seconds_total/);
  });

  it('measures hosts by node-exporter in an existing cluster', async () => {
    const { declared } = await record(() =>
      declareEstate({
        config: parseEstateConfig({
          values: { cluster: { kind: 'existing' } },
          keys: [],
          secrets: new Set(['kubeconfig']),
        }),
        secrets: {
          clusterToken: undefined,
          kubeconfig: pulumi.secret('kind: Config'),
          registryPassword: undefined,
          databasePassword: undefined,
        },
      }),
    );
    const variables = env(podOf(only(declared, 'kubernetes:apps/v1:Deployment', 'cpu-scheduler')));
    assert.match(variables.CPU_QUERY ?? '', /node_cpu_seconds_total\{mode="idle"\}/);
  });

  it('runs every service under the restricted level', async () => {
    const { declared } = await declare();
    const deployments = declared.filter(({ type }) => type === 'kubernetes:apps/v1:Deployment');
    assert.deepEqual(deployments.map(({ name }) => name).sort(), [
      'cpu-scheduler',
      'image-feeder',
      'mosquitto',
    ]);
    for (const deployment of deployments) {
      const pod = podOf(deployment);
      assert.equal(pod.securityContext.runAsNonRoot, true, deployment.name);
      assert.deepEqual(pod.securityContext.seccompProfile, { type: 'RuntimeDefault' });
      for (const container of pod.containers)
        assert.deepEqual(container.securityContext, {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
    }
    const namespace = only(declared, 'kubernetes:core/v1:Namespace', 'berth-system');
    const { labels } = namespace.inputs.metadata as { labels: Record<string, string> };
    assert.equal(labels['pod-security.kubernetes.io/enforce'], 'restricted');
  });

  it('lets the scheduler do what it does and nothing else', async () => {
    const { declared } = await declare();
    const { rules } = only(declared, 'kubernetes:rbac.authorization.k8s.io/v1:ClusterRole')
      .inputs as {
      rules: { resources: string[]; verbs: string[] }[];
    };
    assert.deepEqual(
      rules.map(({ resources, verbs }) => `${resources.join()}: ${verbs.join()}`),
      [
        'nodes: list,watch',
        'pods: get,list,watch',
        'pods/binding,pods/eviction: create',
        'events: create,patch',
      ],
    );
  });

  it('shows no secret in plain text', async () => {
    const { declared } = await declare({
      images: { username: 'me' },
      posture: { database: { enabled: true, host: 'db.example' } },
    });
    for (const { name, inputs } of declared) {
      assert.ok(!plainText(inputs).includes(TOKEN), `${name} shows the token`);
      assert.ok(!plainText(inputs).includes(PASSWORD), `${name} shows a password`);
    }
    assert.ok(JSON.stringify(declared).includes(PASSWORD));
  });

  it('declares nothing of a system that is off', async () => {
    const { declared, result } = await declare({ systems: { cpuScheduling: { enabled: false } } });
    assert.deepEqual(result.jobs, []);
    assert.ok(!declared.some(({ type }) => type.startsWith('docker-build:')));
    assert.ok(!declared.some(({ type }) => type === 'kubernetes:batch/v1:Job'));
  });

  it('declares the autoscaler where it is on, with alerts, its API and the token for it', async () => {
    const alertsIn = (declared: readonly Declared[]) => {
      const release = only(declared, 'kubernetes:helm.sh/v3:Release', 'prometheus');
      const { values } = release.inputs as {
        values: { additionalPrometheusRulesMap?: Record<string, unknown> };
      };
      return Object.keys(values.additionalPrometheusRulesMap ?? {});
    };
    const autoscaling = { enabled: true, permanentWorkers: ['node-1'], minNodes: 1 };
    const { declared, result } = await declare({ systems: { autoscaling } });
    only(declared, 'kubernetes:apps/v1:Deployment', 'autoscaler');
    assert.deepEqual(alertsIn(declared), ['autoscaler']);
    assert.ok(result.systems.includes('autoscaling'));
    const url = await resolved(pulumi.output(result.urls.autoscaler));
    assert.equal(url.value, 'http://autoscaler.berth-system.svc:8080');
    assert.ok(result.autoscalerApiToken);
    const token = await resolved(result.autoscalerApiToken);
    assert.ok(token.secret && token.value.length >= 16);

    const off = await declare();
    assert.ok(!off.declared.some(({ type }) => type === 'berth:systems:Autoscaling'));
    assert.deepEqual(alertsIn(off.declared), []);
    assert.equal(off.result.autoscalerApiToken, undefined);
  });

  it("keeps the usage of the nodes' own control groups, which the chart would drop, where nodes are containers", async () => {
    type Rule = { sourceLabels: string[]; regex: string; action: string };
    const rulesOf = async (config: Parameters<typeof declare>[0]) => {
      const { declared } = await declare(config);
      const { values } = only(declared, 'kubernetes:helm.sh/v3:Release').inputs as {
        values: { kubelet: { serviceMonitor: { cAdvisorMetricRelabelings?: Rule[] } } };
      };
      return values.kubelet.serviceMonitor.cAdvisorMetricRelabelings;
    };
    const [names, groups, ...others] = (await rulesOf({})) ?? [];
    assert.deepEqual([names?.action, groups?.action, others], ['keep', 'keep', []]);
    const keeps = (rule: Rule | undefined, value: string) =>
      new RegExp(`^(?:${rule?.regex})$`).test(value);
    const queries = Object.values(dockerCpuQueries('private')).join(' ');
    for (const [metric] of queries.matchAll(/container_\w+/g))
      assert.ok(keeps(names, metric), metric);
    for (const id of [
      '/',
      `/${'a'.repeat(64)}`,
      `/docker/${'a'.repeat(64)}`,
      '/kubepods/burstable/x',
    ])
      assert.ok(keeps(groups, id), id);
    assert.ok(!keeps(groups, '/system.slice/ssh.service'));
  });

  it('sets the scrape interval of Prometheus, and can do without it', async () => {
    const { declared } = await declare();
    const { values } = only(declared, 'kubernetes:helm.sh/v3:Release').inputs as {
      values: { prometheus: { prometheusSpec: { scrapeInterval: string } } };
    };
    assert.equal(values.prometheus.prometheusSpec.scrapeInterval, '10s');
    const own = await declare({
      platform: { prometheus: { enabled: false, url: 'http://prometheus.example:9090' } },
    });
    assert.ok(!own.declared.some(({ type }) => type === 'kubernetes:helm.sh/v3:Release'));
  });
});
