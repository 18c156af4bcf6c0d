import assert from 'node:assert/strict';
import * as pulumi from '@pulumi/pulumi';
import { parseEstateConfig } from '../../components/config';
import { declareCluster } from '../../components/hosts/cluster';
import { POLICIES, unexcused } from '../../components/policies/policies';
import { autoscalerAlerts } from '../../components/services/autoscaler-alerts';
import { autoscalerDashboards } from '../../components/services/autoscaler-dashboards';
import { Autoscaling } from '../../components/systems/autoscaling';
import { addClusterMetrics } from '../../runtime/autoscaler/cluster-metrics';
import { workerBody } from '../../runtime/autoscaler/containers/worker-body';
import { workerTemplateSchema } from '../../runtime/autoscaler/containers/worker-template';
import { autoscalerMetrics } from '../../runtime/autoscaler/metrics';
import { autoscalerSettings } from '../../runtime/autoscaler/settings';
import { dockerSocketProxySettings } from '../../runtime/docker-socket-proxy/settings';
import { parseSettings } from '../../runtime/shared/settings';
import { checkWorkloadSettings, workloadSettings } from '../../runtime/workload/settings';
import { k3sContainerOptions } from '../lab/k3s';
import { createBody } from '../lab/plugins/docker/container-request';
import { containerSchema } from '../lab/plugins/docker/container-schema';
import { DEPLOYMENT, envOf, RESTRICTED, specOf, Stack } from './support/pods';
import { only, record, resolved, type Declared } from './support/record';

const TOKEN = 'a-token-that-nobody-may-see';
const SECRET_MARK = '4dabf18193072939515e22adb298388d';
const CONTAINER = 'docker:index/container:Container';
const STATEFUL_SET = 'kubernetes:apps/v1:StatefulSet';
const SECRET = 'kubernetes:core/v1:Secret';
const SIZE = { cpus: 0.5, memoryMb: 1024 };

const declare = (
  docker: Record<string, unknown> = {},
  autoscaling: Record<string, unknown> = {},
  protect = '',
) =>
  record(() => {
    const config = parseEstateConfig({
      values: {
        protect,
        cluster: {
          docker: { name: 'quay', agent: SIZE, hostCpus: 4, hostMemoryMb: 8192, ...docker },
        },
        nodes: [{ name: 'node-1' }],
        systems: { autoscaling: { worker: SIZE, ...autoscaling } },
        platform: { redis: { storageClass: 'fast' } },
      },
      keys: [],
      secrets: new Set(['clusterToken']),
    });
    const { provider, dockerHosts } = declareCluster(config, {
      token: pulumi.secret(TOKEN),
      kubeconfig: undefined,
    });
    assert.ok(dockerHosts);
    return new Autoscaling(
      'autoscaling',
      {
        ...{ settings: config.systems.autoscaling, platform: config.platform, hosts: dockerHosts },
        images: { service: (id) => pulumi.output(`registry/${id}@sha256:1`) },
        protectStores: config.protect === 'datastores',
        ...{ registry: config.images, namespace: 'berth-system' },
        prometheusUrl: 'http://prometheus:9090',
        queries: { cpuQuery: 'cpu', cpuTimeQuery: 'time' },
      },
      { parent: new Stack(), providers: [provider] },
    );
  });

/** Values that arrive wrapped as secrets, without the wrapping. */
const plain = <T>(value: T): T =>
  JSON.parse(
    JSON.stringify(value, (_key, inner: unknown) =>
      inner !== null && typeof inner === 'object' && SECRET_MARK in inner && 'value' in inner
        ? inner.value
        : inner,
    ),
  ) as T;
const withoutSecrets = (value: unknown): string =>
  JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === 'object' && SECRET_MARK in inner ? '[secret]' : inner,
  );
/** The environment of a container on Docker. */
const dockerEnv = (container: Declared): Record<string, string> =>
  Object.fromEntries(
    (plain(container.inputs.envs) as string[]).map((text) => {
      const at = text.indexOf('=');
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
const secretOf = (declared: readonly Declared[], name: string) =>
  plain(only(declared, SECRET, name).inputs.stringData) as Record<string, string>;

describe('the autoscaling system', function () {
  this.timeout(120_000);

  const kinds: [string, Record<string, unknown>][] = [
    ['privileged', {}],
    ['not privileged', { ...k3sContainerOptions }],
    [
      'of every option',
      {
        ...{ privileged: false, capabilities: ['SYS_ADMIN'], cgroupnsMode: 'host' },
        securityOptions: ['seccomp=unconfined', 'systempaths=unconfined'],
        mounts: [{ hostPath: '/lib/modules', containerPath: '/lib/modules', readOnly: true }],
        registries: { mirrors: { 'docker.io': { endpoint: ['http://mirror'] } } },
      },
    ],
  ];
  for (const [what, options] of kinds)
    it(`makes workers as it makes agents: ${what}`, async () => {
      const { declared } = await declare(options);
      const agent = containerSchema.parse(
        plain(only(declared, CONTAINER, 'cluster-node-1').inputs),
      );
      const proxy = only(declared, CONTAINER, 'docker-socket-proxy');
      const template = workerTemplateSchema.parse(
        JSON.parse(dockerEnv(proxy)['WORKER_TEMPLATE'] ?? ''),
      );
      const asked = (body: object) => JSON.parse(JSON.stringify(body)) as Body;
      const wanted = asked(createBody(agent));
      const given = asked(workerBody({ template, clusterToken: TOKEN }, 'node-1', 'op'));
      assert.equal(given.Image, wanted.Image);
      assert.deepEqual(given.Cmd, wanted.Cmd);
      assert.deepEqual([...given.Env].sort(), [...wanted.Env].sort());
      assert.equal(given.Hostname, wanted.Hostname);
      const ownMounts = wanted.HostConfig.Binds.filter((bind) => bind.startsWith('/'));
      assert.deepEqual(given.HostConfig.Binds, ownMounts);
      assert.ok(Object.keys(given.Volumes).every((path) => path in wanted.Volumes));
      for (const [key, value] of Object.entries(given.HostConfig)) {
        if (['Binds', 'NetworkMode'].includes(key)) continue;
        const empty = Array.isArray(value) && value.length === 0;
        assert.deepEqual(wanted.HostConfig[key] ?? (empty ? value : undefined), value, key);
      }
      // What the provider asks for beside this is what Docker does anyway.
      const beside = Object.entries(wanted.HostConfig).flatMap(([key, value]) =>
        key in given.HostConfig || isDefault(value) ? [] : [key],
      );
      assert.deepEqual(beside, []);
      const uploads = (agent.uploads ?? []).map(({ file, content }) => [file, content]);
      assert.deepEqual(Object.entries(template.container.files), uploads);
      assert.equal(template.network, 'quay');
    });

  it('gives the socket to one container alone, which can do nothing else', async () => {
    const { declared } = await declare();
    const containers = declared.filter(({ type }) => type === CONTAINER);
    const withSocket = containers.filter(({ inputs }) =>
      /docker\.sock/.test(withoutSecrets(inputs)),
    );
    assert.deepEqual(
      withSocket.map(({ name }) => name),
      ['docker-socket-proxy'],
    );
    const proxy = only(declared, CONTAINER, 'docker-socket-proxy').inputs;
    assert.equal(proxy.image, 'registry/docker-socket-proxy@sha256:1');
    assert.equal(proxy.readOnly, true);
    assert.deepEqual(proxy.capabilities, { drops: ['ALL'] });
    assert.deepEqual(proxy.securityOpts, ['no-new-privileges']);
    assert.deepEqual(proxy.volumes, [
      { hostPath: '/var/run/docker.sock', containerPath: '/var/run/docker.sock' },
    ]);
    assert.deepEqual(proxy.networksAdvanced, [{ name: 'quay', aliases: ['docker-socket-proxy'] }]);
    assert.ok(!('ports' in proxy) && !('privileged' in proxy) && !('networkMode' in proxy));
  });

  it('speaks TLS where it is told to, by a certificate with the names of its Service', async () => {
    const { declared, result } = await declare({}, { tls: { enabled: true } });
    const { dnsNames } = only(
      declared,
      'tls:index/certRequest:CertRequest',
      'autoscaler-tls',
    ).inputs;
    assert.deepEqual(dnsNames, [
      'autoscaler.berth-system.svc',
      'autoscaler.berth-system.svc.cluster.local',
    ]);
    only(declared, SECRET, 'autoscaler-tls');
    const { template } = specOf(only(declared, DEPLOYMENT, 'autoscaler'));
    assert.match(JSON.stringify(template.spec.volumes), /"secretName":"autoscaler-tls"/);
    const { TLS_CERT_FILE, TLS_KEY_FILE, TLS_CLIENT_CA_FILE } = envOf(template.spec.containers[0]);
    assert.deepEqual(
      [TLS_CERT_FILE, TLS_KEY_FILE, TLS_CLIENT_CA_FILE],
      ['/etc/autoscaler-tls/tls.crt', '/etc/autoscaler-tls/tls.key', undefined],
    );
    assert.equal(
      (await resolved(pulumi.output(result.urls.autoscaler))).value,
      'https://autoscaler.berth-system.svc:8080',
    );
  });

  it('finds the socket where Docker is reached by one', async () => {
    const { declared } = await declare({ host: 'unix:///run/lab/docker.sock' });
    const { volumes } = only(declared, CONTAINER, 'docker-socket-proxy').inputs;
    assert.match(JSON.stringify(volumes), /"hostPath":"\/run\/lab\/docker.sock"/);
    const far = await declare({ host: 'ssh://board' }, { dockerSocket: '/run/docker.sock' });
    const other = only(far.declared, CONTAINER, 'docker-socket-proxy').inputs.volumes;
    assert.match(JSON.stringify(other), /"hostPath":"\/run\/docker.sock"/);
  });

  it('starts both with settings that they take, and tells both the same of workers', async () => {
    const { declared } = await declare({}, { minNodes: 1, maxNodes: 4, checkIntervalSeconds: 2 });
    const proxyEnv = dockerEnv(only(declared, CONTAINER, 'docker-socket-proxy'));
    const proxy = parseSettings(dockerSocketProxySettings, proxyEnv);
    const [container] = specOf(only(declared, DEPLOYMENT, 'autoscaler')).template.spec.containers;
    const values = Object.fromEntries(
      Object.entries(envOf(container)).filter(([, value]) => typeof value === 'string'),
    ) as Record<string, string>;
    const settings = parseSettings(autoscalerSettings, {
      ...values,
      ...secretOf(declared, 'autoscaler'),
    });
    assert.deepEqual(settings.workerTemplate, proxy.workerTemplate);
    assert.equal(settings.clusterToken, TOKEN);
    assert.equal(proxy.clusterToken, TOKEN);
    assert.equal(settings.dockerToken, proxy.dockerToken);
    assert.equal(settings.dockerUrl, 'http://172.18.0.9:2375');
    assert.deepEqual(
      [settings.minNodes, settings.maxNodes, settings.checkIntervalMs, settings.cpuQuery],
      [1, 4, 2000, 'cpu'],
    );
    assert.match(settings.memoryQuery, /container_memory_working_set_bytes\{id="\/"\}/);
    assert.deepEqual([...settings.permanentWorkers], ['k3s-worker-1', 'k3s-worker-2']);
  });

  it('logs in the form and to the file that are asked for, on a volume for it, and else to none', async () => {
    const podOf = async (autoscaling: Record<string, unknown>) => {
      const { declared } = await declare({}, autoscaling);
      const { volumes, containers } = specOf(only(declared, DEPLOYMENT, 'autoscaler')).template
        .spec;
      const { LOG_FORMAT: format, LOG_FILE: file } = envOf(containers[0]);
      return { format, file, volumes, mounts: containers[0].volumeMounts };
    };
    assert.deepEqual(await podOf({}), {
      ...{ format: 'json', file: '', volumes: undefined, mounts: undefined },
    });
    const asked = { logFormat: 'pretty', logFile: '/logs/of/autoscaler.log' };
    assert.deepEqual(await podOf(asked), {
      ...{ format: 'pretty', file: '/logs/of/autoscaler.log' },
      volumes: [{ name: 'logs', emptyDir: { sizeLimit: '1Gi' } }],
      mounts: [{ name: 'logs', mountPath: '/logs/of' }],
    });
  });

  it('shows no secret in plain text, and makes each of its own', async () => {
    const { declared, result } = await declare();
    const autoscaler = secretOf(declared, 'autoscaler');
    const { value: apiToken, secret } = await resolved(result.apiToken);
    assert.ok(secret);
    const passwords = [
      apiToken,
      autoscaler['DOCKER_TOKEN'],
      new URL(autoscaler['REDIS_URL'] ?? '').password,
      secretOf(declared, 'mongodb')['MONGO_INITDB_ROOT_PASSWORD'],
    ];
    assert.equal(new Set(passwords).size, 4);
    for (const password of [TOKEN, ...passwords]) {
      assert.ok(password !== undefined && password.length >= 20);
      for (const { name, inputs } of declared)
        assert.ok(!withoutSecrets(inputs).includes(password), `${name} shows a secret`);
    }
  });

  it('keeps state on volumes, behind passwords, and Redis writes before it answers', async () => {
    const { declared } = await declare();
    const conf = secretOf(declared, 'redis')['redis.conf'] ?? '';
    const password = new URL(secretOf(declared, 'autoscaler')['REDIS_URL'] ?? '').password;
    assert.match(conf, /^appendonly yes$/m);
    assert.match(conf, /^appendfsync always$/m);
    assert.ok(conf.includes(`requirepass ${password}\n`));
    const mongo = secretOf(declared, 'autoscaler')['MONGO_URL'] ?? '';
    const root = secretOf(declared, 'mongodb');
    assert.equal(
      mongo,
      `mongodb://autoscaler:${root['MONGO_INITDB_ROOT_PASSWORD']}@mongodb.berth-system.svc:27017/?authSource=admin`,
    );
    const claims = ['redis', 'mongodb'].map((name) => {
      const spec = only(declared, STATEFUL_SET, name).inputs.spec as {
        volumeClaimTemplates: [{ spec: { storageClassName?: string; resources: object } }];
      };
      const [claim] = spec.volumeClaimTemplates;
      return [claim.spec.storageClassName, claim.spec.resources];
    });
    const resources = { requests: { storage: '1Gi' } };
    assert.deepEqual(claims, [
      ['fast', resources],
      [undefined, resources],
    ]);
  });

  it('protects what they hold where that is asked', async () => {
    const kept = async (protect: string) =>
      (await declare({}, {}, protect)).declared
        .filter((one) => one.protect && one.type === STATEFUL_SET)
        .map(({ name }) => name);
    assert.deepEqual((await kept('datastores')).sort(), ['mongodb', 'redis']);
    assert.deepEqual(await kept('none'), []);
  });

  it('runs everything in the cluster under the restricted level', async () => {
    const { declared } = await declare();
    for (const [type, name] of [
      [DEPLOYMENT, 'autoscaler'],
      [STATEFUL_SET, 'redis'],
      [STATEFUL_SET, 'mongodb'],
    ] as const) {
      const { spec } = specOf(only(declared, type, name)).template;
      assert.equal(spec.securityContext.runAsNonRoot, true, name);
      for (const container of spec.containers)
        assert.deepEqual(container.securityContext, RESTRICTED, name);
    }
  });

  it('takes its workers away after itself, drained, and only its own', async () => {
    const { declared } = await declare();
    const names = declared.map(({ name }) => name);
    const at = (name: string) => names.indexOf(name);
    assert.ok(at('cluster-server') < at('autoscaling-workers'));
    assert.ok(at('autoscaling-workers') < at('docker-socket-proxy'));
    assert.ok(at('docker-socket-proxy') < names.lastIndexOf('autoscaler'));
    const script = String(
      only(declared, 'command:local:Command', 'autoscaling-workers').inputs.delete,
    );
    assert.match(script, /--filter label=berth\.autoscaler=quay\b/);
    const steps = ['drain "$node"', 'docker stop', 'rm -f -v', 'delete node', 'node-password.k3s'];
    const places = steps.map((step) => script.indexOf(step));
    assert.deepEqual(
      places,
      [...places].sort((a, b) => a - b),
    );
    assert.ok(places.every((place) => place >= 0));
  });
});

describe('the test workloads of the autoscaler', function () {
  this.timeout(120_000);
  const NAMES = ['cpu-stress', 'pending-pod-test'];
  const deployments = (declared: readonly Declared[]) =>
    declared.filter(({ type, name }) => type === DEPLOYMENT && NAMES.includes(name));

  it('are not there unless they are asked for', async () => {
    const { declared } = await declare();
    assert.deepEqual(deployments(declared), []);
  });

  it('have no pods, where kubectl finds them without a flag, under the restricted level', async () => {
    const { declared } = await declare({}, { testWorkloads: true });
    const found = deployments(declared);
    assert.deepEqual(found.map(({ name }) => name).sort(), NAMES);
    for (const one of found) {
      const { name, namespace } = one.inputs.metadata as { name: string; namespace: string };
      assert.deepEqual([name, namespace], [one.name, 'default']);
      const { replicas, template } = specOf(one);
      assert.equal(replicas, 0);
      assert.equal(template.spec.automountServiceAccountToken, false);
      const { runAsNonRoot, seccompProfile } = template.spec.securityContext as unknown as {
        runAsNonRoot: boolean;
        seccompProfile: object;
      };
      assert.deepEqual([runAsNonRoot, seccompProfile], [true, { type: 'RuntimeDefault' }]);
      const [container] = template.spec.containers;
      assert.deepEqual(container.securityContext, RESTRICTED);
      assert.equal(container.image, 'registry/workload@sha256:1');
    }
  });

  it('ask for shares of a worker, and one of them computes all the time', async () => {
    for (const [cpus, stress, pending] of [
      [0.5, '100m', '200m'],
      [4, '800m', '1600m'],
    ] as const) {
      const worker = { ...SIZE, cpus };
      const { declared } = await declare({}, { testWorkloads: true, worker });
      const of = (name: string) => {
        const [container] = specOf(only(declared, DEPLOYMENT, name)).template.spec.containers;
        const env = envOf(container) as Record<string, string>;
        const settings = parseSettings(workloadSettings, env);
        checkWorkloadSettings(settings);
        const { requests } = (container as unknown as { resources: { requests: object } })
          .resources;
        return { busy: settings.busyThreads, requests };
      };
      assert.deepEqual(of('cpu-stress'), { busy: 1, requests: { cpu: stress, memory: '96Mi' } });
      assert.deepEqual(of('pending-pod-test'), {
        busy: 0,
        requests: { cpu: pending, memory: '96Mi' },
      });
    }
  });

  it('keep to the policies of an estate', async () => {
    const { declared } = await declare({}, { testWorkloads: true });
    for (const one of deployments(declared)) {
      // A digest of this test is shorter than real ones.
      const resource = JSON.parse(
        JSON.stringify(one).replaceAll('@sha256:1', `@sha256:${'1'.repeat(64)}`),
      ) as Declared;
      for (const policy of POLICIES) assert.deepEqual(unexcused(policy, resource), [], policy.name);
    }
  });
});

describe('the dashboards of the autoscaler', () => {
  it('are ConfigMaps that Grafana finds by their label', async () => {
    const { declared } = await declare();
    for (const [name, dashboard] of Object.entries(autoscalerDashboards())) {
      const { inputs } = only(declared, 'kubernetes:core/v1:ConfigMap', name);
      const { metadata, data } = inputs as {
        metadata: { namespace: string; labels: object };
        data: Record<string, string>;
      };
      assert.equal(metadata.namespace, 'berth-system');
      assert.deepEqual(metadata.labels, { grafana_dashboard: '1' });
      assert.deepEqual(
        JSON.parse(data[`${name}.json`] ?? ''),
        JSON.parse(JSON.stringify(dashboard)),
      );
    }
  });

  it('ask only for metrics that the autoscaler has, of the data source that is chosen', async () => {
    const metrics = autoscalerMetrics();
    const settings = { minNodes: 2, maxNodes: 6, readingMaxAgeMs: 1 };
    const observe = () => ({ nodes: new Map(), pending: [] });
    addClusterMetrics(metrics, { settings, observe, nowMs: () => 0 });
    const known = (await metrics.registry.getMetricsAsJSON()).map(({ name }) => name);
    for (const dashboard of Object.values(autoscalerDashboards())) {
      const panels = (dashboard.panels ?? []).filter(({ type }) => type !== 'row');
      assert.ok(panels.length > 0);
      for (const panel of panels) {
        const { title, datasource, targets } = panel as unknown as {
          title: string;
          datasource: { uid: string };
          targets: { expr: string; refId: string }[];
        };
        assert.equal(datasource.uid, '${prometheus}', title);
        assert.equal(new Set(targets.map(({ refId }) => refId)).size, targets.length, title);
        for (const { expr } of targets) {
          const asked = expr.match(/autoscaler_\w+/g) ?? [];
          assert.ok(asked.length > 0, title);
          for (const name of asked)
            assert.ok(known.includes(name.replace(/_bucket$/, '')), `${title}: ${name}`);
        }
      }
    }
  });
});

describe('the alerts of the autoscaler', () => {
  it('ask only for metrics that the autoscaler has', async () => {
    const known = (await autoscalerMetrics().registry.getMetricsAsJSON()).map(({ name }) => name);
    const config = parseEstateConfig({ values: {}, keys: [], secrets: new Set(['clusterToken']) });
    const { rules } = autoscalerAlerts(config.systems.autoscaling);
    assert.ok(rules.length >= 8);
    for (const { alert, expr } of rules) {
      const asked = expr.match(/autoscaler_\w+/g) ?? [];
      assert.ok(asked.length > 0, alert);
      for (const name of asked) assert.ok(known.includes(name), `${alert}: ${name}`);
    }
  });
});

const isDefault = (value: unknown): boolean =>
  !value ||
  value === 'bridge' ||
  (typeof value === 'object' && Object.values(value).every((inner) => isDefault(inner)));

interface Body {
  readonly Image: string;
  readonly Cmd: string[];
  readonly Env: string[];
  readonly Hostname: string;
  readonly Volumes: Record<string, object>;
  readonly HostConfig: Record<string, unknown> & { readonly Binds: string[] };
}
