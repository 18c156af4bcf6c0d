import assert from 'node:assert/strict';
import { PAUSE_IMAGE } from './support/cluster';
import { estate, estateCluster } from './support/session';
import { readStatus, readyStatus } from './support/status';
import { waitUntil } from './support/wait-until';

interface NodeEntry {
  name: string;
  slot?: number;
  labels?: Record<string, string>;
}

/** A step of `npm run preview -- --json`. */
interface PreviewStep {
  readonly op: string;
  readonly urn: string;
}

const nodesOf = (config: Record<string, unknown>) => config['berth:nodes'] as NodeEntry[];

describe('a change of the configuration', function () {
  this.timeout(3_600_000);
  this.bail(true);

  async function changes(): Promise<string[]> {
    const { checkout } = await estate();
    const { stdout } = await checkout.npm('preview', ['--json']);
    const { steps } = JSON.parse(stdout) as { steps: PreviewStep[] };
    return steps
      .filter(({ op }) => op !== 'same')
      .map(({ op, urn }) => `${op} ${urn.split('::').pop()}`);
  }

  it('of one slot previews as a change of that node and of nothing else', async () => {
    const { checkout } = await estate();
    await checkout.configure((config) => {
      const node = nodesOf(config).find(({ name }) => name === 'node-3');
      assert.ok(node);
      node.slot = 7;
    });
    assert.deepEqual(await changes(), ['update node-node-3']);
  });

  it('of one slot is applied by up', async () => {
    const { checkout } = await estate();
    await checkout.npm('up');
    const { nodes } = await readStatus(checkout);
    assert.equal(nodes.find(({ name }) => name === 'node-3')?.slot, 7);
    assert.deepEqual(await changes(), []);
  });

  it('that adds an agent makes one more Ready node', async () => {
    const { checkout } = await estate();
    await checkout.configure((config) => {
      nodesOf(config).push({ name: 'node-4', slot: 4, labels: { device: 'nano2-desktop' } });
    });
    await checkout.npm('up');
    const { nodes } = await readyStatus(checkout);
    assert.deepEqual(nodes.map(({ name, ready }) => [name, ready]).sort(), [
      ['node-1', true],
      ['node-2', true],
      ['node-3', true],
      ['node-4', true],
      ['server', true],
    ]);
  });

  it('that removes an agent drains it and forgets it', async () => {
    const { checkout } = await estate();
    const cluster = await estateCluster();
    // Something that must move: a Deployment's pod on the node that leaves.
    const labels = { app: 'mover' };
    await cluster.apps.createNamespacedDeployment({
      namespace: 'default',
      body: {
        metadata: { name: 'mover' },
        spec: {
          replicas: 1,
          selector: { matchLabels: labels },
          template: {
            metadata: { labels },
            spec: {
              terminationGracePeriodSeconds: 0,
              affinity: {
                nodeAffinity: {
                  preferredDuringSchedulingIgnoredDuringExecution: [
                    {
                      weight: 100,
                      preference: {
                        matchExpressions: [
                          { key: 'posture/slot', operator: 'In', values: ['slot-4'] },
                        ],
                      },
                    },
                  ],
                },
              },
              containers: [{ name: 'pause', image: PAUSE_IMAGE }],
            },
          },
        },
      },
    });
    const running = async () => {
      const pods = await cluster.pods('default', 'app=mover');
      return pods.find(
        ({ status, metadata }) => status?.phase === 'Running' && !metadata?.deletionTimestamp,
      );
    };
    await waitUntil('a pod on the node that leaves', async () => {
      const pod = await running();
      if (pod?.spec?.nodeName === 'node-4') return true;
      // It only prefers that node, and was placed before the node could take it.
      const name = pod?.metadata?.name;
      if (name !== undefined)
        await cluster.core.deleteNamespacedPod({ name, namespace: 'default' });
      return false;
    });
    await checkout.configure((config) => {
      const nodes = nodesOf(config);
      nodes.splice(
        nodes.findIndex(({ name }) => name === 'node-4'),
        1,
      );
    });
    await checkout.npm('up');
    const { nodes } = await readStatus(checkout);
    assert.ok(!nodes.some(({ name }) => name === 'node-4'));
    await waitUntil('the pod to run elsewhere', async () => {
      const node = (await running())?.spec?.nodeName;
      return node !== undefined && node !== 'node-4';
    });
    const secrets = await cluster.core.listNamespacedSecret({ namespace: 'kube-system' });
    assert.ok(!secrets.items.some(({ metadata }) => metadata?.name?.startsWith('node-4.')));
    await cluster.apps.deleteNamespacedDeployment({ name: 'mover', namespace: 'default' });
  });

  it('with errors is refused whole, each error with its key path', async () => {
    const { checkout } = await estate();
    const before = await readStatus(checkout);
    await checkout.configure((config) => {
      const [first, second] = nodesOf(config);
      assert.ok(first && second);
      first.slot = 11;
      second.slot = 7;
      (config as Record<string, unknown>)['berth:imagse'] = {};
    });
    const { all } = await checkout.npm('up', [], { expectExit: 1 });
    assert.match(all, /berth:nodes\[0\]\.slot: 11 is not in 1\.\.10/);
    assert.match(all, /berth:nodes\[2\]\.slot: 7 is taken by nodes\[1\]/);
    assert.match(all, /berth:imagse: unknown key; did you mean images\?/);
    await checkout.configure((config) => {
      const [first, second] = nodesOf(config);
      assert.ok(first && second);
      first.slot = 1;
      second.slot = 2;
      delete (config as Record<string, unknown>)['berth:imagse'];
    });
    assert.deepEqual(
      (await readStatus(checkout)).nodes.map(({ name, slot }) => [name, slot]),
      before.nodes.map(({ name, slot }) => [name, slot]),
    );
    assert.deepEqual(await changes(), []);
  });
});
