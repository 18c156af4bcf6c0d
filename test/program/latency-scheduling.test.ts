import assert from 'node:assert/strict';
import * as pulumi from '@pulumi/pulumi';
import { ConfigError, parseEstateConfig } from '../../components/config';
import { declareEstate } from '../../components/estate';
import { parseOptions } from '../../runtime/load-generator/options';
import { DAEMON_SET, DEPLOYMENT, envOf, RESTRICTED, specOf } from './support/pods';
import { only, record, resolved, type Declared } from './support/record';

const RELEASE = 'kubernetes:helm.sh/v3:Release';
const NAMESPACE = 'kubernetes:core/v1:Namespace';

const parse = (latencyScheduling: Record<string, unknown>, more: Record<string, unknown> = {}) =>
  parseEstateConfig({
    values: {
      nodes: [
        { name: 'node-1', slot: 1 },
        { name: 'node-2', slot: 2 },
      ],
      systems: {
        cpuScheduling: { enabled: false },
        latencyScheduling: { enabled: true, ...latencyScheduling },
      },
      ...more,
    },
    keys: [],
    secrets: new Set(['clusterToken', 'kubeconfig']),
  });

/** An estate with latency-aware scheduling and nothing else. */
const declare = (
  latencyScheduling: Record<string, unknown> = {},
  more: Record<string, unknown> = {},
) =>
  record(() =>
    declareEstate({
      config: parse(latencyScheduling, more),
      secrets: {
        clusterToken: pulumi.secret('token'),
        kubeconfig: pulumi.secret('kind: Config'),
        registryPassword: undefined,
        databasePassword: undefined,
      },
    }),
  );

const problemsOf = (
  latencyScheduling: Record<string, unknown>,
  more: Record<string, unknown> = {},
): readonly string[] => {
  try {
    parse(latencyScheduling, more);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.problems;
  }
  assert.fail('the configuration was accepted');
};

const levelOf = (declared: readonly Declared[], name: string) => {
  const { labels } = only(declared, NAMESPACE, name).inputs.metadata as {
    labels: Record<string, string>;
  };
  return labels['pod-security.kubernetes.io/enforce'];
};
const SECRET_MARK = '4dabf18193072939515e22adb298388d';
/** What a property holds, and whether the engine keeps it secret. */
const plainAndSecret = async (property: unknown) => {
  const marked = property as { [SECRET_MARK]?: string; value?: unknown };
  return Promise.resolve(
    marked[SECRET_MARK] === undefined
      ? { secret: false, plain: property }
      : { secret: true, plain: marked.value },
  );
};
const namespaceOf = ({ inputs }: Declared) => (inputs.metadata as { namespace: string }).namespace;
const variables = (one: Declared) => envOf(specOf(one).template.spec.containers[0]);

describe('the latency-scheduling system', function () {
  this.timeout(180_000);

  it('declares a prober on each node, the extender, its kube-scheduler, and nine hellopods', async () => {
    const { declared, result } = await declare();
    only(declared, DAEMON_SET, 'prober');
    const deployments = declared.filter(({ type }) => type === DEPLOYMENT);
    assert.deepEqual(
      deployments.map((one) => [one.name, namespaceOf(one), specOf(one).replicas]).sort(),
      [
        ['hellopod', 'hello', 9],
        ['latency-aware-scheduler', 'berth-system', 2],
        ['latency-extender', 'berth-system', 2],
      ],
    );
    const hellopod = only(declared, DEPLOYMENT, 'hellopod');
    assert.equal(specOf(hellopod).template.spec.schedulerName, 'latency-aware-scheduler');
    const urls = Object.fromEntries(
      await Promise.all(
        Object.entries(result.urls).map(
          async ([name, url]) => [name, (await resolved(pulumi.output(url))).value] as const,
        ),
      ),
    );
    assert.equal(urls['latency-extender'], 'http://latency-extender.berth-system.svc:3001');
    assert.deepEqual(result.systems, ['latencyScheduling']);
  });

  it('speaks plain HTTP unless it is told otherwise, and makes no certificates', async () => {
    const { declared } = await declare();
    assert.ok(!declared.some(({ type }) => type.startsWith('tls:')));
    const extender = only(declared, DEPLOYMENT, 'latency-extender');
    assert.equal(variables(extender).TLS_CERT_FILE, undefined);
    assert.equal(specOf(extender).template.spec.volumes, undefined);
  });

  it('makes an authority and certificates of its own for TLS, whose keys are secrets', async () => {
    const { declared, result } = await declare({ tls: { enabled: true } });
    const certificate = (name: string) =>
      only(declared, 'tls:index/locallySignedCert:LocallySignedCert', name).inputs;
    const request = (name: string) =>
      only(declared, 'tls:index/certRequest:CertRequest', name).inputs;
    const authority = only(
      declared,
      'tls:index/selfSignedCert:SelfSignedCert',
      'latency-extender-ca',
    );
    assert.equal(authority.inputs.isCaCertificate, true);
    assert.deepEqual(request('latency-extender-tls').dnsNames, [
      'latency-extender.berth-system.svc',
      'latency-extender.berth-system.svc.cluster.local',
    ]);
    assert.deepEqual(request('latency-extender-client-tls').subject, {
      commonName: 'latency-aware-scheduler',
    });
    for (const [name, use] of [
      ['latency-extender-tls', 'server_auth'],
      ['latency-extender-client-tls', 'client_auth'],
    ] as const) {
      assert.deepEqual(certificate(name).allowedUses, ['digital_signature', use]);
      assert.ok(
        Number(certificate(name).validityPeriodHours) <
          Number(authority.inputs.validityPeriodHours),
      );
      const { metadata, stringData } = only(declared, 'kubernetes:core/v1:Secret', name).inputs;
      assert.deepEqual(metadata, { name, namespace: 'berth-system' });
      assert.deepEqual(await plainAndSecret(stringData), {
        secret: true,
        plain: {
          'tls.crt': `certificate of ${name}`,
          'tls.key': `key of ${name}`,
          'ca.crt': 'certificate of latency-extender-ca',
        },
      });
    }
    assert.match(
      String((await resolved(pulumi.output(result.urls['latency-extender']))).value),
      /^https:/,
    );
  });

  it('mounts the certificates, asks with them, and is probed and scraped over TLS', async () => {
    const { declared } = await declare({
      tls: {
        enabled: true,
        certificates: 'secrets',
        serverSecret: 'own',
        clientSecret: 'own-client',
      },
    });
    assert.ok(!declared.some(({ type }) => type.startsWith('tls:')));
    const extender = specOf(only(declared, DEPLOYMENT, 'latency-extender')).template;
    const { TLS_CERT_FILE, TLS_KEY_FILE, TLS_CLIENT_CA_FILE } = envOf(extender.spec.containers[0]);
    const folder = '/etc/latency-extender-tls';
    assert.deepEqual(
      [TLS_CERT_FILE, TLS_KEY_FILE, TLS_CLIENT_CA_FILE],
      [`${folder}/tls.crt`, `${folder}/tls.key`, `${folder}/ca.crt`],
    );
    assert.match(JSON.stringify(extender.spec.volumes), /"secretName":"own"/);
    assert.match(JSON.stringify(extender.spec.containers[0].readinessProbe), /"scheme":"HTTPS"/);
    assert.equal(extender.metadata.annotations['prometheus.io/scheme'], 'https');
    const scheduler = specOf(only(declared, DEPLOYMENT, 'latency-aware-scheduler')).template;
    assert.match(JSON.stringify(scheduler.spec.volumes), /"secretName":"own-client"/);
    const { data } = only(
      declared,
      'kubernetes:core/v1:ConfigMap',
      'latency-aware-scheduler',
    ).inputs;
    const { extenders } = JSON.parse((data as Record<string, string>)['config.yaml'] ?? '') as {
      extenders: Record<string, unknown>[];
    };
    assert.equal(extenders[0]?.enableHTTPS, true);
    assert.deepEqual(extenders[0]?.tlsConfig, {
      certFile: '/etc/kube-scheduler-tls/tls.crt',
      keyFile: '/etc/kube-scheduler-tls/tls.key',
      caFile: '/etc/kube-scheduler-tls/ca.crt',
    });
  });

  it('refuses certificates from nowhere, and one Secret for both ends', () => {
    assert.deepEqual(problemsOf({ tls: { certificates: 'magic' } }), [
      'berth:systems.latencyScheduling.tls.certificates: "magic" must be program, cert-manager or secrets',
    ]);
    assert.deepEqual(problemsOf({ tls: { serverSecret: 'one', clientSecret: 'one' } }), [
      'berth:systems.latencyScheduling.tls.clientSecret: "one" must not be the same as serverSecret',
    ]);
  });

  it('tells the extender where the probers and Prometheus are, and hellopods where their prober is', async () => {
    const { declared } = await declare({ nothingFresh: 'closed', firstTargetWaitSeconds: 45 });
    const extender = variables(only(declared, DEPLOYMENT, 'latency-extender'));
    assert.equal(extender.PROBER_NAMESPACE, 'berth-probers');
    assert.equal(extender.PROBER_SELECTOR, 'app.kubernetes.io/name=prober');
    assert.equal(extender.PROM_URL, 'http://kube-prom-stack-prometheus.monitoring.svc:9090');
    assert.equal(extender.NOTHING_FRESH, 'closed');
    assert.equal(extender.FIRST_TARGET_WAIT_MS, '45000');
    assert.equal(extender.SCHEDULER_NAME, 'latency-aware-scheduler');
    assert.equal(
      variables(only(declared, DEPLOYMENT, 'hellopod')).PROBER_ADDRESS,
      'prober.berth-probers.svc:3000',
    );
  });

  it('runs a kube-scheduler of the version of the cluster', async () => {
    const { cluster, platform } = parse({});
    const version = /:(v[\d.]+)-/.exec(cluster.docker.image)?.[1];
    assert.equal(platform.kubeScheduler.image, `registry.k8s.io/kube-scheduler:${version}`);
    const { declared } = await declare(
      {},
      { platform: { kubeScheduler: { image: 'registry.example/kube-scheduler:v1.30.1' } } },
    );
    const [container] = specOf(only(declared, DEPLOYMENT, 'latency-aware-scheduler')).template.spec
      .containers;
    assert.equal(container.image, 'registry.example/kube-scheduler:v1.30.1');
  });

  it('lets no pods but the probers of Docker nodes have a host path', async () => {
    const docker = (await declare({ traffic: { node: 'node-1' } })).declared;
    assert.equal(levelOf(docker, 'berth-probers'), 'privileged');
    assert.equal(specOf(only(docker, DAEMON_SET)).template.spec.volumes?.length, 1);
    for (const name of ['berth-system', 'hello'])
      assert.equal(levelOf(docker, name), 'restricted', name);
    for (const one of docker.filter(({ type }) => [DEPLOYMENT, DAEMON_SET].includes(type))) {
      const { securityContext, containers } = specOf(one).template.spec;
      assert.equal(securityContext.runAsNonRoot, true, one.name);
      for (const container of containers)
        assert.deepEqual(container.securityContext, RESTRICTED, one.name);
    }
    const hosts = (await declare({}, { cluster: { kind: 'existing' } })).declared;
    assert.equal(levelOf(hosts, 'berth-probers'), 'restricted');
    assert.equal(specOf(only(hosts, DAEMON_SET)).template.spec.volumes, undefined);
  });

  it('routes to hellopods through Traefik, which it brings along unless the cluster has its own', async () => {
    const ROUTE = 'kubernetes:traefik.io/v1alpha1:IngressRoute';
    const { declared } = await declare();
    only(declared, RELEASE, 'traefik');
    assert.equal(namespaceOf(only(declared, ROUTE)), 'hello');
    const own = (await declare({}, { platform: { traefik: { enabled: false } } })).declared;
    assert.ok(!own.some(({ type, name }) => type === RELEASE && name === 'traefik'));
    only(own, ROUTE);
    const { declared: none } = await declare({ hellopod: { path: '' } });
    assert.ok(!none.some(({ type }) => type === ROUTE));
  });

  it('sends requests from one node, through the Traefik that is there', async () => {
    const traffic = { node: 'node-2', ratePerSecond: 2.5 };
    const { declared } = await declare({ traffic });
    const pod = specOf(only(declared, DEPLOYMENT, 'traffic-generator')).template
      .spec as unknown as {
      affinity: { nodeAffinity: Record<string, { nodeSelectorTerms: object[] }> };
      containers: [{ args: string[] }];
    };
    assert.deepEqual(Object.values(pod.affinity.nodeAffinity), [
      {
        nodeSelectorTerms: [
          { matchFields: [{ key: 'metadata.name', operator: 'In', values: ['node-2'] }] },
        ],
      },
    ]);
    const { args } = pod.containers[0];
    const found = parseOptions({
      values: Object.fromEntries(
        args.flatMap((flag, index) =>
          index % 2 === 0 ? [[flag.replace('--', ''), args[index + 1]]] : [],
        ),
      ),
      rest: [],
    });
    assert.deepEqual(
      [found.ip, found.port, found.path, found.qps],
      ['traefik.traefik.svc', 80, '/hello', 2.5],
    );
  });

  it('simulates latencies where it is told to, and nowhere else', async () => {
    const simulated = async (latencies?: Record<string, number>) => {
      const { declared } = await declare({ simulatedLatenciesMs: latencies });
      return variables(only(declared, DAEMON_SET)).SIMULATED_LATENCIES_MS ?? '';
    };
    assert.equal(await simulated(), '');
    assert.equal(
      await simulated({ 'node-1/node-2': 4, 'node-2/*': 20 }),
      'node-1/node-2=4,node-2/*=20',
    );
  });

  it('checks its settings', () => {
    assert.deepEqual(
      problemsOf({
        replicas: 6,
        nothingFresh: 'maybe',
        firstTargetWaitSeconds: 601,
        httpTimeoutSeconds: 0,
        landmarks: 0,
        latencyFullScaleMs: 0,
        hellopod: { replicas: -1, cpuMillis: 0, path: 'hello' },
        traffic: { node: 'Node 1', ratePerSecond: 0 },
      }).map((problem) => problem.replace(/^berth:systems\.latencyScheduling\.(\S+): .*$/, '$1')),
      [
        'replicas',
        'nothingFresh',
        'firstTargetWaitSeconds',
        'httpTimeoutSeconds',
        'landmarks',
        'latencyFullScaleMs',
        'hellopod.replicas',
        'hellopod.cpuMillis',
        'hellopod.path',
        'traffic.node',
        'traffic.ratePerSecond',
      ],
    );
    assert.match(
      problemsOf({ simulatedLatenciesMs: { 'node-1': 4 } }).join(),
      /simulatedLatenciesMs: .*"node-1=4" is not NODE\/NODE=MILLISECONDS/,
    );
    assert.match(
      problemsOf({ simulatedLatenciesMs: { 'node-1/node-2': 20_000 } }).join(),
      /simulatedLatenciesMs\.node-1\/node-2: 20000 is not in 0\.\.10000/,
    );
  });

  it('has requests come in only where a node of the estate has a Traefik', () => {
    assert.match(
      problemsOf({ traffic: { node: 'node-9' } }).join(),
      /traffic\.node: "node-9" is no node of the estate; known are server, node-1, node-2$/,
    );
    for (const traefik of [{ enabled: false }, { kind: 'Deployment' }])
      assert.match(
        problemsOf({ traffic: { node: 'node-1' } }, { platform: { traefik } }).join(),
        /traffic\.node: "node-1" needs platform\.traefik with enabled: true and kind: DaemonSet$/,
      );
  });
});
