import assert from 'node:assert/strict';
import { unguarded } from '../../components/network/guard';
import { parseEstateConfig } from '../../components/config';
import { Traefik } from '../../components/platform/traefik';
import { SERVICE, Stack } from './support/pods';
import { only, record, resolved } from './support/record';

const RELEASE = 'kubernetes:helm.sh/v3:Release';

const declare = (traefik: Record<string, unknown> = {}) => {
  const { platform } = parseEstateConfig({
    values: { nodes: [{ name: 'node-1', slot: 1 }], platform: { traefik } },
    keys: [],
    secrets: new Set(['clusterToken']),
  });
  return record(
    () => new Traefik('traefik', { ...platform, guard: unguarded }, { parent: new Stack() }),
  );
};

describe('Traefik', function () {
  this.timeout(180_000);

  it('is one pinned release of the official chart, with one pod on every node', async () => {
    const { declared, result } = await declare();
    assert.deepEqual(only(declared, RELEASE).inputs, {
      compat: 'true', // the SDK's own
      name: 'traefik',
      chart: 'traefik',
      version: '41.2.0',
      repositoryOpts: { repo: 'https://traefik.github.io/charts' },
      timeout: 600,
      namespace: 'traefik',
      values: {
        fullnameOverride: 'traefik',
        instanceLabelOverride: 'traefik',
        global: { checkNewVersion: false, sendAnonymousUsage: false },
        deployment: { kind: 'DaemonSet' },
        tolerations: [{ operator: 'Exists' }],
        api: { dashboard: false },
        ingressClass: { enabled: false },
        providers: {
          kubernetesCRD: { enabled: true, allowCrossNamespace: false },
          kubernetesIngress: { enabled: false },
        },
        metrics: {
          prometheus: {
            entryPoint: 'metrics',
            addEntryPointsLabels: true,
            addRoutersLabels: true,
            addServicesLabels: true,
          },
        },
        ports: { metrics: { port: 9100 } },
        service: { spec: { type: 'ClusterIP', internalTrafficPolicy: 'Local' } },
        readinessProbe: { timeoutSeconds: 5, failureThreshold: 3 },
        livenessProbe: { timeoutSeconds: 5 },
        resources: { requests: { cpu: '25m', memory: '100Mi' }, limits: { memory: '256Mi' } },
      },
    });
    assert.equal((await resolved(result.url)).value, 'http://traefik.traefik.svc');
  });

  it('runs under the restricted level, in the namespace and under the name of its configuration', async () => {
    const { declared, result } = await declare({ namespace: 'ingress', release: 'edge' });
    assert.deepEqual(only(declared, 'kubernetes:core/v1:Namespace').inputs.metadata, {
      name: 'ingress',
      labels: {
        'pod-security.kubernetes.io/enforce': 'restricted',
        'pod-security.kubernetes.io/warn': 'restricted',
      },
    });
    const { name, namespace, values } = only(declared, RELEASE).inputs as {
      name: string;
      namespace: string;
      values: { fullnameOverride: string };
    };
    assert.deepEqual([name, namespace, values.fullnameOverride], ['edge', 'ingress', 'edge']);
    assert.equal((await resolved(result.url)).value, 'http://edge.ingress.svc');
  });

  it('shows the metrics of each pod behind a headless Service', async () => {
    const { declared, result } = await declare({ namespace: 'ingress', release: 'edge' });
    assert.deepEqual(only(declared, SERVICE).inputs, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'traefik-metrics', namespace: 'ingress' },
      spec: {
        clusterIP: 'None',
        selector: {
          'app.kubernetes.io/name': 'traefik',
          'app.kubernetes.io/instance': 'edge',
        },
        ports: [{ name: 'metrics', port: 9100, targetPort: 9100 }],
      },
    });
    assert.equal((await resolved(result.metricsServiceName)).value, 'traefik-metrics');
  });

  it('takes requests from outside where they come in, and anywhere as a Deployment', async () => {
    const specOf = async (traefik: Record<string, unknown>) => {
      const { values } = only((await declare(traefik)).declared, RELEASE).inputs as {
        values: { deployment: object; tolerations?: object; service: { spec: object } };
      };
      const { deployment, tolerations, service } = values;
      return { deployment, tolerations, service: service.spec };
    };
    assert.deepEqual((await specOf({ serviceType: 'LoadBalancer' })).service, {
      type: 'LoadBalancer',
      internalTrafficPolicy: 'Local',
      externalTrafficPolicy: 'Local',
    });
    const replicas = { kind: 'Deployment', replicas: 3 };
    assert.deepEqual(await specOf({ ...replicas, serviceType: 'NodePort' }), {
      deployment: replicas,
      tolerations: undefined,
      service: { type: 'NodePort' },
    });
  });

  it('refuses a configuration that no chart could take, each part by its key', () => {
    assert.throws(
      () => declare({ kind: 'Pod', replicas: 0, serviceType: 'ExternalName' }),
      (error: Error) =>
        [
          /berth:platform\.traefik\.kind: .*must be DaemonSet or Deployment/,
          /berth:platform\.traefik\.replicas: 0 is not in 1\.\.20/,
          /berth:platform\.traefik\.serviceType: .*must be ClusterIP, NodePort or LoadBalancer/,
        ].every((problem) => problem.test(error.message)),
    );
  });
});
