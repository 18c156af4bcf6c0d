import assert from 'node:assert/strict';
import { Hellopod, type HellopodArgs } from '../../components/workloads/hellopod';
import { DEPLOYMENT, IMAGE, Stack, specOf, envOf, RESTRICTED } from './support/pods';
import { only, record, resolved } from './support/record';

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
    const { schedulerName } = template.spec;
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
