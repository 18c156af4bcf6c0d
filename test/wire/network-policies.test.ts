import assert from 'node:assert/strict';
import { parseEstateConfig } from '../../components/config';
import { networkPolicies } from '../../components/network/policies';
import { apiOf, createNamespace } from './support/kube';
import { startControlPlane, type ControlPlane } from './support/control-plane';

/** Everything on, and both kinds of end that are no pods'. */
const config = parseEstateConfig({
  values: {
    nodes: [{ name: 'node-1', slot: 1 }],
    networkPolicies: { nodeCidrs: ['0.0.0.0/0', '172.18.0.0/16', 'fd00::/64'] },
    posture: { database: { enabled: true, host: '192.0.2.7' } },
    systems: {
      eventScaling: { enabled: true },
      latencyScheduling: { enabled: true, traffic: { node: 'node-1' } },
      autoscaling: { enabled: true, permanentWorkers: ['node-1'] },
      experiment: { enabled: true, serviceType: 'NodePort' },
    },
  },
  keys: [],
  secrets: new Set(['clusterToken', 'databasePassword']),
});

describe('network policies on a real API server', function () {
  this.timeout(1_800_000);
  let cluster: ControlPlane;

  before(async () => {
    cluster = await startControlPlane();
  });
  after(() => cluster.stop());

  it('are taken, and kept as they were declared, so that a second update changes nothing', async () => {
    const api = await apiOf(cluster.kubeconfig);
    let taken = 0;
    for (const [namespace, { allow, denyAll }] of networkPolicies(config)) {
      await createNamespace(api, namespace);
      for (const { name, spec } of [...allow, denyAll]) {
        const kept = await api.request<{ spec: object }>({
          method: 'POST',
          path: `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies?fieldValidation=Strict`,
          body: {
            apiVersion: 'networking.k8s.io/v1',
            kind: 'NetworkPolicy',
            metadata: { name, namespace },
            spec,
          },
        });
        assert.deepEqual(kept.spec, spec, `${namespace}/${name}`);
        taken += 1;
      }
    }
    assert.equal(taken, 26);
  });
});
