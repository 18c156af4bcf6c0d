import assert from 'node:assert/strict';
import { Prober, type ProberArgs } from '../../components/services/prober';
import { DAEMON_SET, SERVICE, IMAGE, Stack, specOf, envOf, RESTRICTED } from './support/pods';
import { only, record, resolved } from './support/record';

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
