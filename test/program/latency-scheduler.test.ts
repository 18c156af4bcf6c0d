import assert from 'node:assert/strict';
import { LatencyScheduler } from '../../components/services/latency-scheduler';
import { DEPLOYMENT, Stack, specOf, RESTRICTED } from './support/pods';
import { only, record, type Declared } from './support/record';

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
