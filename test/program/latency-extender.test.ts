import assert from 'node:assert/strict';
import { LatencyExtender } from '../../components/services/latency-extender';
import { DEPLOYMENT, IMAGE, Stack, specOf, envOf, RESTRICTED } from './support/pods';
import { only, record, resolved } from './support/record';

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
            settings: {
              replicas: 2,
              nothingFresh: 'closed',
              firstTargetWaitSeconds: 60,
              logLevel: 'info',
            },
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
      FIRST_TARGET_WAIT_MS: '60000',
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
