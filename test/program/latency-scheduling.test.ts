import assert from 'node:assert/strict';
import * as pulumi from '@pulumi/pulumi';
import { LatencyExtender } from '../../components/services/latency-extender';
import { LatencyScheduler } from '../../components/services/latency-scheduler';
import { Prober, type ProberArgs } from '../../components/services/prober';
import { Hellopod, type HellopodArgs } from '../../components/workloads/hellopod';
import { only, record, resolved, type Declared } from './support/record';

const DAEMON_SET = 'kubernetes:apps/v1:DaemonSet';
const DEPLOYMENT = 'kubernetes:apps/v1:Deployment';
const SERVICE = 'kubernetes:core/v1:Service';
const IMAGE = 'registry/image@sha256:1';

class Stack extends pulumi.ComponentResource {
  constructor() {
    super('test:index:Stack', 'stack', {});
  }
}

interface Container {
  readonly image: string;
  readonly command?: string[];
  readonly env?: { name: string; value?: string; valueFrom?: object }[];
  readonly securityContext: object;
  readonly volumeMounts?: object[];
  readonly readinessProbe: object;
}
interface PodTemplate {
  readonly metadata: { labels: object; annotations: Record<string, string> };
  readonly spec: {
    readonly serviceAccountName?: string;
    readonly automountServiceAccountToken?: boolean;
    readonly securityContext: { runAsNonRoot: boolean };
    readonly tolerations?: object[];
    readonly affinity?: object;
    readonly volumes?: object[];
    readonly containers: [Container];
  };
}
const specOf = (one: Declared) =>
  one.inputs.spec as Record<string, unknown> & { replicas?: number; template: PodTemplate };
const envOf = ({ env }: Container) =>
  Object.fromEntries((env ?? []).map(({ name, value, valueFrom }) => [name, value ?? valueFrom]));
const RESTRICTED = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
};

describe('the prober', function () {
  this.timeout(180_000);
  const declare = (more: Partial<ProberArgs> = {}) =>
    record(
      () =>
        new Prober(
          'prober',
          {
            namespace: 'probers',
            image: IMAGE,
            nodeCgroups: false,
            settings: { logLevel: 'info' },
            ...more,
          },
          { parent: new Stack() },
        ),
    );

  it('runs once on every node, whatever its taints, and knows its node and itself', async () => {
    const { declared } = await declare();
    const { template, ...spec } = specOf(only(declared, DAEMON_SET));
    const labels = { 'app.kubernetes.io/name': 'prober' };
    assert.deepEqual(spec, {
      selector: { matchLabels: labels },
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1 } },
    });
    assert.deepEqual(template.metadata.labels, labels);
    assert.equal(template.metadata.annotations['prometheus.io/port'], '3000');
    assert.deepEqual(template.spec.tolerations, [{ operator: 'Exists' }]);
    assert.deepEqual(envOf(template.spec.containers[0]), {
      CPU_SOURCE: 'proc',
      PEERS_PORT: '3000',
      PORT: '3000',
      LOG_LEVEL: 'info',
      PEERS_DNS: 'prober-peers.probers.svc',
      NODE_NAME: { fieldRef: { fieldPath: 'spec.nodeName' } },
      POD_IP: { fieldRef: { fieldPath: 'status.podIP' } },
    });
  });

  it('keeps to the restricted level, and has no account at the API server', async () => {
    const { declared } = await declare();
    const { spec } = specOf(only(declared, DAEMON_SET)).template;
    assert.equal(spec.automountServiceAccountToken, false);
    assert.equal(spec.securityContext.runAsNonRoot, true);
    assert.deepEqual(spec.containers[0].securityContext, RESTRICTED);
    assert.equal(spec.volumes, undefined);
    assert.ok(!declared.some(({ type }) => type.includes('rbac')));
  });

  it('reads control groups where nodes are containers, by a read-only mount', async () => {
    const { declared } = await declare({ nodeCgroups: true });
    const { spec } = specOf(only(declared, DAEMON_SET)).template;
    const [container] = spec.containers;
    assert.deepEqual(spec.volumes, [
      { name: 'cgroup', hostPath: { path: '/sys/fs/cgroup', type: 'Directory' } },
    ]);
    assert.deepEqual(container.volumeMounts, [
      { name: 'cgroup', mountPath: '/host/sys/fs/cgroup', readOnly: true },
    ]);
    const { CPU_SOURCE, CGROUP_ROOT } = envOf(container);
    assert.deepEqual([CPU_SOURCE, CGROUP_ROOT], ['auto', '/host/sys/fs/cgroup']);
  });

  it('is found by its peers in a headless Service, and by the pods of its node in another', async () => {
    const { declared, result } = await declare();
    const selector = { 'app.kubernetes.io/name': 'prober' };
    const ports = [{ name: 'http', port: 3000 }];
    assert.deepEqual(only(declared, SERVICE, 'prober-peers').inputs.spec, {
      clusterIP: 'None',
      publishNotReadyAddresses: true,
      selector,
      ports,
    });
    assert.deepEqual(only(declared, SERVICE, 'prober').inputs.spec, {
      internalTrafficPolicy: 'Local',
      selector,
      ports,
    });
    assert.equal((await resolved(result.localAddress)).value, 'prober.probers.svc:3000');
  });

  it('simulates latencies only where that is set, and refuses what it cannot read', async () => {
    const settings = { logLevel: 'info', simulatedLatenciesMs: 'a/b=40' };
    const { declared } = await declare({ settings });
    const [container] = specOf(only(declared, DAEMON_SET)).template.spec.containers;
    assert.equal(envOf(container).SIMULATED_LATENCIES_MS, 'a/b=40');
    await assert.rejects(
      declare({ settings: { logLevel: 'info', simulatedLatenciesMs: 'a=40' } }),
      /SIMULATED_LATENCIES_MS "a=40": "a=40" is not NODE\/NODE=MILLISECONDS/,
    );
  });
});

describe('the latency extender', function () {
  this.timeout(180_000);
  const declare = () =>
    record(
      () =>
        new LatencyExtender(
          'latency-extender',
          {
            namespace: 'berth-system',
            image: IMAGE,
            prometheusUrl: 'http://prometheus:9090',
            schedulerName: 'latency-aware-scheduler',
            probers: {
              namespace: 'probers',
              selector: 'app.kubernetes.io/name=prober',
              port: 3000,
            },
            settings: { replicas: 2, nothingFresh: 'closed', logLevel: 'info' },
          },
          { parent: new Stack() },
        ),
    );

  it('runs with its settings under the restricted level', async () => {
    const { declared, result } = await declare();
    const { replicas, template } = specOf(only(declared, DEPLOYMENT));
    const [container] = template.spec.containers;
    assert.equal(replicas, 2);
    assert.deepEqual(envOf(container), {
      SCHEDULER_NAME: 'latency-aware-scheduler',
      NOTHING_FRESH: 'closed',
      PROBER_SELECTOR: 'app.kubernetes.io/name=prober',
      PROBER_PORT: '3000',
      PORT: '3001',
      LOG_LEVEL: 'info',
      PROBER_NAMESPACE: 'probers',
      PROM_URL: 'http://prometheus:9090',
    });
    assert.equal(template.spec.securityContext.runAsNonRoot, true);
    assert.deepEqual(container.securityContext, RESTRICTED);
    assert.equal(
      (await resolved(result.url)).value,
      'http://latency-extender.berth-system.svc:3001',
    );
  });

  it('may follow pods and write events, and nothing else', async () => {
    const { declared } = await declare();
    const { rules } = only(declared, 'kubernetes:rbac.authorization.k8s.io/v1:ClusterRole')
      .inputs as { rules: { resources: string[]; verbs: string[] }[] };
    assert.deepEqual(
      rules.map(({ resources, verbs }) => `${resources.join()}: ${verbs.join()}`),
      ['pods: list,watch', 'events: create,patch'],
    );
    assert.ok(!declared.some(({ type }) => type.endsWith(':Role')));
  });
});

describe('the latency-aware scheduler', function () {
  this.timeout(180_000);
  const NAME = 'latency-aware-scheduler';
  const declare = (ignorable = false) =>
    record(
      () =>
        new LatencyScheduler(
          NAME,
          {
            namespace: 'berth-system',
            image: 'registry/kube-scheduler:v1.36.3',
            extenderUrl: 'http://latency-extender.berth-system.svc:3001',
            settings: { replicas: 2, httpTimeoutSeconds: 5, ignorable },
          },
          { parent: new Stack() },
        ),
    );
  const configOf = (declared: readonly Declared[]): unknown => {
    const { data } = only(declared, 'kubernetes:core/v1:ConfigMap').inputs as {
      data: Record<string, string>;
    };
    return JSON.parse(data['config.yaml'] ?? '');
  };

  it('has every score of its own off and asks the extender by names', async () => {
    const { declared } = await declare();
    assert.deepEqual(configOf(declared), {
      apiVersion: 'kubescheduler.config.k8s.io/v1',
      kind: 'KubeSchedulerConfiguration',
      leaderElection: {
        leaderElect: true,
        resourceLock: 'leases',
        resourceName: NAME,
        resourceNamespace: 'berth-system',
      },
      profiles: [
        {
          schedulerName: NAME,
          plugins: {
            preScore: { disabled: [{ name: '*' }] },
            score: { disabled: [{ name: '*' }] },
          },
        },
      ],
      extenders: [
        {
          urlPrefix: 'http://latency-extender.berth-system.svc:3001',
          filterVerb: 'filter',
          prioritizeVerb: 'prioritize',
          weight: 1,
          enableHTTPS: false,
          httpTimeout: '5s',
          nodeCacheCapable: true,
          ignorable: false,
        },
      ],
    });
  });

  it('runs two kube-schedulers of which one leads, under the restricted level', async () => {
    const { declared } = await declare();
    const { replicas, template } = specOf(only(declared, DEPLOYMENT));
    const [container] = template.spec.containers;
    assert.equal(replicas, 2);
    assert.equal(container.image, 'registry/kube-scheduler:v1.36.3');
    assert.deepEqual(container.command, [
      'kube-scheduler',
      '--config=/etc/kube-scheduler/config.yaml',
      '--bind-address=0.0.0.0',
      '--secure-port=10259',
      '--authentication-skip-lookup=true',
    ]);
    assert.deepEqual(container.securityContext, RESTRICTED);
    assert.deepEqual(container.readinessProbe, {
      httpGet: { path: '/readyz', port: 10_259, scheme: 'HTTPS' },
      timeoutSeconds: 5,
      periodSeconds: 2,
    });
  });

  it('takes other pods for another configuration, and the same for the same', async () => {
    const hash = async (ignorable: boolean) =>
      specOf(only((await declare(ignorable)).declared, DEPLOYMENT)).template.metadata.annotations[
        'berth.dev/config-sha256'
      ];
    const [one, same, other] = [await hash(false), await hash(false), await hash(true)];
    assert.match(one ?? '', /^[0-9a-f]{64}$/);
    assert.equal(one, same);
    assert.notEqual(one, other);
  });

  it('may neither read secrets nor act on anything but pods and what they claim', async () => {
    const { declared } = await declare();
    const { rules } = only(declared, 'kubernetes:rbac.authorization.k8s.io/v1:ClusterRole')
      .inputs as { rules: { resources: string[]; verbs: string[] }[] };
    const all = rules.flatMap(({ resources }) => resources);
    assert.ok(!all.includes('secrets') && !all.includes('*'));
    const acted = rules
      .filter(({ verbs }) => verbs.some((verb) => !['get', 'list', 'watch'].includes(verb)))
      .flatMap(({ resources }) => resources);
    assert.deepEqual([...new Set(acted)].sort(), [
      'events',
      'persistentvolumeclaims',
      'persistentvolumes',
      'pods',
      'pods/binding',
      'pods/finalizers',
      'pods/status',
      'resourceclaims',
      'resourceclaims/binding',
      'resourceclaims/status',
    ]);
    const { rules: own } = only(declared, 'kubernetes:rbac.authorization.k8s.io/v1:Role')
      .inputs as { rules: { verbs: string[]; resourceNames?: string[] }[] };
    assert.deepEqual(
      own.map(({ verbs, resourceNames }) => [verbs.join(), resourceNames]),
      [
        ['create', undefined],
        ['get,update,list,watch', [NAME]],
      ],
    );
  });
});

describe('hellopod', function () {
  this.timeout(180_000);
  const declare = (more: Partial<HellopodArgs> = {}) =>
    record(
      () =>
        new Hellopod(
          'hellopod',
          {
            namespace: 'hello',
            image: IMAGE,
            schedulerName: 'latency-aware-scheduler',
            replicas: 9,
            proberAddress: 'prober.probers.svc:3000',
            cpuMillis: 50,
            path: '/hello',
            logLevel: 'info',
            ...more,
          },
          { parent: new Stack() },
        ),
    );

  it('runs nine times, placed by the latency-aware scheduler', async () => {
    const { declared, result } = await declare();
    const { replicas, template } = specOf(only(declared, DEPLOYMENT));
    const { schedulerName } = template.spec as { schedulerName?: string };
    const [container] = template.spec.containers;
    assert.deepEqual([replicas, schedulerName], [9, 'latency-aware-scheduler']);
    assert.deepEqual(envOf(container), {
      PORT: '8080',
      LOG_LEVEL: 'info',
      PROBER_ADDRESS: 'prober.probers.svc:3000',
      POD_NAME: { fieldRef: { fieldPath: 'metadata.name' } },
      NODE_NAME: { fieldRef: { fieldPath: 'spec.nodeName' } },
    });
    assert.equal(template.spec.automountServiceAccountToken, false);
    assert.deepEqual(container.securityContext, RESTRICTED);
    assert.equal((await resolved(result.url)).value, 'http://hellopod.hello.svc');
  });

  it('is reached through Traefik under its path, which it does not see itself', async () => {
    const { declared } = await declare();
    const { spec } = only(declared, 'kubernetes:traefik.io/v1alpha1:IngressRoute').inputs;
    assert.deepEqual(spec, {
      entryPoints: ['web'],
      routes: [
        {
          kind: 'Rule',
          match: 'PathPrefix(`/hello`)',
          middlewares: [{ name: 'hellopod-strip' }],
          services: [{ name: 'hellopod', port: 80 }],
        },
      ],
    });
    assert.deepEqual(only(declared, 'kubernetes:traefik.io/v1alpha1:Middleware').inputs.spec, {
      stripPrefix: { prefixes: ['/hello'] },
    });
  });

  it('has no route where there is no Traefik', async () => {
    const { declared } = await declare({ path: undefined });
    assert.ok(!declared.some(({ type }) => type.includes('traefik')));
  });
});
