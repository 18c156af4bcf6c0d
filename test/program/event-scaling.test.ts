import assert from 'node:assert/strict';
import * as pulumi from '@pulumi/pulumi';
import { parseEstateConfig } from '../../components/config';
import { declareEstate } from '../../components/estate';
import { only, record, type Declared } from './support/record';

const PASSWORD = 'a-password-that-nobody-may-see';
const SECRET_MARK = '4dabf18193072939515e22adb298388d';
const SCALED_JOB = 'kubernetes:keda.sh/v1alpha1:ScaledJob';
const NAMES = Array.from({ length: 10 }, (_, index) => `posture-analyzer-job-${index}`);

/** An estate with event scaling on, and nothing else unless it is said. */
const declare = (
  eventScaling: Record<string, unknown> = {},
  more: Record<string, unknown> = {},
  systems: Record<string, unknown> = {},
) =>
  record(() =>
    declareEstate({
      config: parseEstateConfig({
        values: {
          nodes: [{ name: 'node-1', slot: 1 }],
          systems: {
            cpuScheduling: { enabled: false },
            eventScaling: { enabled: true, ...eventScaling },
            ...systems,
          },
          ...more,
        },
        keys: [],
        secrets: new Set(['clusterToken', 'databasePassword']),
      }),
      secrets: {
        clusterToken: pulumi.secret('token'),
        kubeconfig: undefined,
        registryPassword: undefined,
        databasePassword: pulumi.secret(PASSWORD),
      },
    }),
  );

const typed = (declared: readonly Declared[], type: string) =>
  declared.filter((one) => one.type === type);
const kinds = (declared: readonly Declared[]) =>
  new Set(declared.map(({ type }) => type.split(':').at(-1)));

interface Pod {
  readonly schedulerName: string;
  readonly restartPolicy: string;
  readonly affinity: Record<string, unknown>;
  readonly containers: {
    readonly image: string;
    readonly env: { readonly name: string; readonly value?: string; readonly valueFrom?: object }[];
    readonly envFrom: object[];
  }[];
}
interface JobSpec {
  readonly suspend?: boolean;
  readonly backoffLimit: number;
  readonly podFailurePolicy: object;
  readonly template: {
    readonly metadata: { labels: Record<string, string>; annotations: Record<string, string> };
    readonly spec: Pod;
  };
}
interface ScaledJobInputs {
  readonly metadata: { name: string; namespace: string; labels: Record<string, string> };
  readonly spec: Record<string, unknown> & {
    readonly jobTargetRef: JobSpec;
    readonly triggers: { metadata: Record<string, string>; authenticationRef?: object }[];
  };
}
const inputsOf = (one: Declared | undefined) => {
  assert.ok(one);
  return one.inputs as unknown as ScaledJobInputs;
};

describe('the event-scaling system', function () {
  this.timeout(180_000);

  it('declares ten ScaledJobs that KEDA asks the external scaler about', async () => {
    const { declared, result } = await declare({ mode: 'once', thresholdRatio: 0.6 });
    const scaledJobs = typed(declared, SCALED_JOB);
    assert.deepEqual(
      scaledJobs.map(({ name }) => name),
      NAMES,
    );
    assert.deepEqual([result.scaledJobs, result.jobs], [NAMES, []]);
    for (const [index, one] of scaledJobs.entries()) {
      const { metadata, spec } = inputsOf(one);
      assert.equal(metadata.namespace, 'posture');
      assert.equal(metadata.labels.app, 'posture');
      const { jobTargetRef, ...rest } = spec;
      assert.deepEqual(rest, {
        pollingInterval: 10,
        maxReplicaCount: 1,
        successfulJobsHistoryLimit: 3,
        failedJobsHistoryLimit: 5,
        rollout: { strategy: 'gradual' },
        triggers: [
          {
            type: 'external',
            metadata: {
              scalerAddress: 'posture-external-scaler.posture.svc.cluster.local:8080',
              metricName: 'available_node_count_30s',
              threshold: '0.6',
              mode: 'once',
            },
          },
        ],
      });
      const app = index === 0 ? 'pi1' : `pi1-${index}`;
      assert.match(
        jobTargetRef.template.spec.containers[0]?.image ?? '',
        new RegExp(`/posture-${app}@sha256:`),
      );
    }
  });

  it('lets an analyzer onto a ranked, eligible node with no other, lower slots first', async () => {
    const { declared } = await declare();
    const { jobTargetRef: job } = inputsOf(typed(declared, SCALED_JOB)[0]).spec;
    const { spec, metadata } = job.template;
    assert.equal(metadata.labels.app, 'posture');
    assert.deepEqual([spec.schedulerName, spec.restartPolicy], ['default-scheduler', 'Never']);
    assert.equal(job.backoffLimit, 3);
    assert.deepEqual(job.podFailurePolicy, {
      rules: [
        { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
      ],
    });
    assert.deepEqual(spec.affinity, {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [
            {
              matchExpressions: [
                { key: 'posture/eligible', operator: 'In', values: ['true'] },
                { key: 'posture/rank', operator: 'Exists' },
              ],
            },
          ],
        },
        preferredDuringSchedulingIgnoredDuringExecution: [
          100, 90, 80, 70, 60, 50, 40, 30, 20, 10,
        ].map((weight, index) => ({
          weight,
          preference: {
            matchExpressions: [
              { key: 'posture/slot', operator: 'In', values: [`slot-${index + 1}`] },
            ],
          },
        })),
      },
      podAntiAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [
          {
            topologyKey: 'kubernetes.io/hostname',
            labelSelector: { matchLabels: { app: 'posture' } },
          },
        ],
      },
    });
  });

  it('gives settings and password by reference, and runs again when a setting changes', async () => {
    const database = { enabled: true, host: 'db.example' };
    const { declared } = await declare({}, { posture: { maxImages: 7, database } });
    const { data } = only(declared, 'kubernetes:core/v1:ConfigMap', 'posture-queue-settings')
      .inputs as { data: Record<string, string> };
    assert.deepEqual([data.MAX_IMAGES, data.DB_HOST], ['7', 'db.example']);
    const templateOf = (all: readonly Declared[]) =>
      inputsOf(typed(all, SCALED_JOB)[0]).spec.jobTargetRef.template;
    const [container] = templateOf(declared).spec.containers;
    assert.deepEqual(container?.envFrom, [{ configMapRef: { name: 'posture-queue-settings' } }]);
    assert.deepEqual(container.env.find(({ name }) => name === 'DB_PASSWORD')?.valueFrom, {
      secretKeyRef: { name: 'posture-queue-database', key: 'password' },
    });
    for (const { name, inputs } of declared) {
      const plain = JSON.stringify(inputs, (_key, value: unknown) =>
        value !== null && typeof value === 'object' && SECRET_MARK in value ? '[secret]' : value,
      );
      assert.ok(!plain.includes(PASSWORD), `${name} shows the password`);
    }
    assert.ok(JSON.stringify(declared).includes(PASSWORD));
    const other = await declare({}, { posture: { maxImages: 8, database } });
    const digest = 'posture/settings-digest';
    assert.notEqual(
      templateOf(declared).metadata.annotations[digest],
      templateOf(other.declared).metadata.annotations[digest],
    );
  });

  it('shows KEDA its certificates where TLS is on, and the scaler has its own', async () => {
    const { declared } = await declare({ tls: { enabled: true, clientSecret: 'keda-client' } });
    const { spec } = only(declared, 'kubernetes:keda.sh/v1alpha1:TriggerAuthentication').inputs;
    assert.deepEqual(spec, {
      secretTargetRef: [
        { parameter: 'caCert', name: 'keda-client', key: 'ca.crt' },
        { parameter: 'tlsClientCert', name: 'keda-client', key: 'tls.crt' },
        { parameter: 'tlsClientKey', name: 'keda-client', key: 'tls.key' },
      ],
    });
    const [trigger] = inputsOf(typed(declared, SCALED_JOB)[0]).spec.triggers;
    assert.equal(trigger?.metadata.enableTLS, 'true');
    assert.deepEqual(trigger.authenticationRef, { name: 'posture-queue-scaler' });
    const scaler = only(declared, 'kubernetes:apps/v1:Deployment', 'posture-external-scaler');
    assert.match(JSON.stringify(scaler.inputs), /"secretName":"posture-external-scaler-tls"/);
  });

  it('asks cert-manager for the certificates of both sides where it is told to', async () => {
    const tls = { enabled: true, certificates: 'cert-manager', clientSecret: 'keda-client' };
    const { declared } = await declare({ tls });
    const certificate = (name: string) =>
      only(declared, 'kubernetes:cert-manager.io/v1:Certificate', `${name}-certificate`).inputs
        .spec as {
        readonly secretName: string;
        readonly dnsNames?: string[];
        readonly usages?: string[];
        readonly isCA?: boolean;
        readonly issuerRef: { readonly name: string };
        readonly privateKey: { readonly rotationPolicy: string };
      };
    const authority = certificate('posture-external-scaler-ca');
    assert.equal(authority.isCA, true);
    assert.equal(authority.issuerRef.name, 'posture-external-scaler-self');
    assert.equal(authority.privateKey.rotationPolicy, 'Never');
    const issuer = only(
      declared,
      'kubernetes:cert-manager.io/v1:Issuer',
      'posture-external-scaler-ca-issuer',
    );
    assert.deepEqual(issuer.inputs.spec, { ca: { secretName: 'posture-external-scaler-ca' } });
    const server = certificate('posture-external-scaler-tls');
    const client = certificate('keda-client');
    for (const [leaf, secret, usage] of [
      [server, 'posture-external-scaler-tls', 'server auth'],
      [client, 'keda-client', 'client auth'],
    ] as const) {
      assert.equal(leaf.secretName, secret);
      assert.equal(leaf.issuerRef.name, 'posture-external-scaler-ca');
      assert.deepEqual(leaf.usages, ['digital signature', usage]);
    }
    const address = inputsOf(typed(declared, SCALED_JOB)[0]).spec.triggers[0]?.metadata;
    assert.deepEqual(server.dnsNames, [address?.scalerAddress?.split(':')[0]]);
    const { declared: own } = await declare({ tls: { ...tls, certificates: 'program' } });
    const request = only(own, 'tls:index/certRequest:CertRequest', 'posture-external-scaler-tls');
    assert.deepEqual(request.inputs.dnsNames, server.dnsNames);
    only(own, 'kubernetes:core/v1:Secret', 'keda-client');
    assert.ok(![...own].some(({ type }) => type.includes('cert-manager')));
    const { declared: without } = await declare({ tls: { ...tls, certificates: 'secrets' } });
    assert.ok(![...without].some(({ type }) => type.includes('cert-manager')));
  });

  it('declares what an analyzer needs beside it, and the services, once for both systems', async () => {
    const { declared, result } = await declare({}, {}, { cpuScheduling: { enabled: true } });
    assert.deepEqual(
      typed(declared, 'kubernetes:apps/v1:Deployment')
        .map(({ name }) => name)
        .sort(),
      [
        'cpu-scheduler',
        'image-feeder',
        'mosquitto',
        'posture-external-scaler',
        'posture-node-controller',
      ],
    );
    assert.equal(typed(declared, 'docker-build:index:Image').length, 14);
    assert.deepEqual([result.jobs.length, result.scaledJobs.length], [10, 10]);
    assert.deepEqual(
      only(declared, 'kubernetes:core/v1:ConfigMap', 'prometheus-config').inputs.data,
      { PROM_URL: 'http://kube-prom-stack-prometheus.monitoring.svc:9090' },
    );
    const alone = await declare();
    assert.equal(typed(alone.declared, 'docker-build:index:Image').length, 13);
    assert.deepEqual(typed(alone.declared, 'kubernetes:batch/v1:Job'), []);
    assert.deepEqual(result.systems, ['cpuScheduling', 'eventScaling']);
  });

  it('takes a KEDA that the cluster has', async () => {
    const releases = async (enabled: boolean) =>
      typed(
        (await declare({}, { platform: { keda: { enabled } } })).declared,
        'kubernetes:helm.sh/v3:Release',
      ).map(({ name }) => name);
    assert.deepEqual((await releases(true)).sort(), ['keda', 'prometheus']);
    assert.deepEqual(await releases(false), ['prometheus']);
  });

  it('queues plain Jobs without KEDA where release is jobs', async () => {
    const { declared, result } = await declare({ release: 'jobs' });
    const jobs = typed(declared, 'kubernetes:batch/v1:Job');
    assert.deepEqual(
      jobs.map(({ name }) => name),
      NAMES,
    );
    assert.deepEqual([result.jobs, result.scaledJobs], [NAMES, []]);
    for (const { inputs } of jobs) {
      const { metadata, spec } = inputs as unknown as { spec: JobSpec } & ScaledJobInputs;
      assert.equal((spec as unknown as JobSpec).suspend, true);
      assert.equal(metadata.labels['posture/queue'], 'true');
      assert.equal(metadata.labels.app, 'posture');
    }
    for (const kind of ['ScaledJob', 'Release'])
      assert.ok(
        !kinds(declared.filter(({ name }) => name !== 'prometheus')).has(kind),
        `${kind} is declared`,
      );
    assert.ok(!declared.some(({ name }) => name === 'posture-external-scaler'));
  });

  it('takes the ranks off the nodes when it goes, and declares nothing while it is off', async () => {
    const { declared } = await declare();
    const { inputs } = only(declared, 'command:local:Command', 'node-ranks');
    assert.match(String(inputs.delete), /kubectl label node --all 'posture\/rank-'/);
    const off = await declare({ enabled: false });
    assert.ok(!kinds(off.declared).has('ScaledJob'));
    assert.ok(!off.declared.some(({ name }) => name === 'node-ranks' || name === 'keda'));
  });
});
