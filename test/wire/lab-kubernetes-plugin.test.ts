import assert from 'node:assert/strict';
import { AppsV1Api, CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import * as k8s from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import type { Stack } from '@pulumi/pulumi/automation';
import { startControlPlane, type ControlPlane } from './support/control-plane';
import { startEngine, type Engine } from './support/engine';

const SECRET = 'correct horse battery staple';

/** What the program of the next run declares. */
interface Wanted {
  replicas: number;
  greeting: string;
  labels: Record<string, string>;
  annotations?: Record<string, string>;
  nodeLabels?: Record<string, string>;
  secondProvider?: boolean;
  more?: (options: pulumi.CustomResourceOptions) => void;
}

describe("lab: the kubernetes plugin under Pulumi's engine, against an API server", function () {
  this.timeout(1_800_000);
  let controlPlane: ControlPlane;
  let engine: Engine;
  let stack: Stack;
  let core: CoreV1Api;
  let apps: AppsV1Api;
  let wanted: Wanted = {
    ...{ replicas: 0, greeting: 'hello', labels: { tier: 'one' } },
    annotations: { note: 'gone soon' },
    nodeLabels: { 'posture/slot': 'slot-1' },
  };

  const program = async () => {
    const provider = new k8s.Provider('k8s', {
      kubeconfig: pulumi.secret(controlPlane.kubeconfig),
    });
    const options = { provider };
    const namespace = new k8s.core.v1.Namespace('ns', { metadata: { name: 'wire' } }, options);
    const inside = { namespace: namespace.metadata.name };
    const data = { greeting: wanted.greeting };
    const generated = new k8s.core.v1.ConfigMap('generated', { metadata: inside, data }, options);
    new k8s.core.v1.ConfigMap('fixed', { metadata: { ...inside, name: 'fixed' }, data }, options);
    new k8s.core.v1.Secret(
      'secret',
      { metadata: { ...inside, name: 'secret' }, stringData: { password: SECRET } },
      options,
    );
    const { labels, annotations, replicas } = wanted;
    const deployment = new k8s.apps.v1.Deployment(
      'web',
      {
        metadata: { ...inside, name: 'web', labels, annotations },
        spec: {
          replicas,
          selector: { matchLabels: { app: 'web' } },
          template: {
            metadata: { labels: { app: 'web' } },
            spec: {
              containers: [
                { name: 'web', image: 'web', resources: { requests: { cpu: '1000m' } } },
              ],
            },
          },
        },
      },
      { ...options, customTimeouts: { create: '60s', update: '8s' } },
    );
    if (wanted.nodeLabels) {
      const metadata = { name: 'n1', labels: wanted.nodeLabels };
      new k8s.core.v1.NodePatch('labels', { metadata }, options);
    }
    if (wanted.secondProvider) {
      const marker = new k8s.core.v1.ConfigMap('marker', { metadata: inside }, options);
      const kubeconfig = marker.id.apply(() => controlPlane.kubeconfig);
      const late = new k8s.Provider('late', { kubeconfig, namespace: 'wire' });
      new k8s.core.v1.ServiceAccount('late', {}, { provider: late });
    }
    wanted.more?.(options);
    return { generated: generated.metadata.name, uid: deployment.metadata.uid };
  };
  const up = async (change: Partial<Wanted> = {}) => {
    wanted = { ...wanted, ...change };
    const { summary, outputs } = await stack.up();
    return { changes: summary.resourceChanges ?? {}, outputs };
  };
  const failure = async (run: Promise<unknown>): Promise<string> =>
    run.then(
      () => assert.fail('it went well'),
      (error: Error) => error.message,
    );
  const configMaps = async () => {
    const { items } = await core.listNamespacedConfigMap({ namespace: 'wire' });
    const own = items.filter((map) => map.metadata?.name !== 'kube-root-ca.crt');
    return Object.fromEntries(own.map((map) => [map.metadata?.name, map.data?.greeting]));
  };

  before(async function () {
    // What the cache lacks is built first.
    this.timeout(3_600_000);
    [controlPlane, engine] = await Promise.all([
      startControlPlane({ controllerManager: true, scheduler: true }),
      startEngine('kubernetes'),
    ]);
    const config = new KubeConfig();
    config.loadFromString(controlPlane.kubeconfig);
    core = config.makeApiClient(CoreV1Api);
    apps = config.makeApiClient(AppsV1Api);
    await core.createNode({ body: { metadata: { name: 'n1', labels: { mine: 'stays' } } } });
    stack = await engine.stack(program);
  });
  after(async () => {
    await engine?.stop();
    await controlPlane?.stop();
  });

  it('previews everything, makes nothing', async () => {
    const { changeSummary } = await stack.preview();
    assert.equal(changeSummary.create, 8);
    const { items } = await core.listNamespace();
    assert.equal(
      items.some((namespace) => namespace.metadata?.name === 'wire'),
      false,
    );
  });

  it('creates, names and waits until ready', async () => {
    const { changes, outputs } = await up();
    assert.equal(changes.create, 8);
    assert.match(outputs.generated?.value as string, /^generated-[0-9a-f]{8}$/);
    assert.deepEqual(await configMaps(), {
      fixed: 'hello',
      [outputs.generated?.value as string]: 'hello',
    });
    const web = await apps.readNamespacedDeployment({ namespace: 'wire', name: 'web' });
    assert.equal(outputs.uid?.value, web.metadata?.uid);
    assert.equal(web.status?.observedGeneration, web.metadata?.generation);
  });

  it('keeps secrets out of the state, while the cluster has them', async () => {
    const state = await engine.state();
    const { data } = await core.readNamespacedSecret({ namespace: 'wire', name: 'secret' });
    assert.equal(Buffer.from(data?.password ?? '', 'base64').toString(), SECRET);
    const token = /token: (\w+)/.exec(controlPlane.kubeconfig)?.[1] ?? assert.fail();
    for (const text of [SECRET, Buffer.from(SECRET).toString('base64'), token]) {
      assert.equal(state.includes(text), false);
    }
  });

  it('finds nothing to change the second time, also after a refresh', async () => {
    assert.deepEqual(Object.keys((await up()).changes), ['same']);
    await stack.refresh();
    await stack.preview({ expectNoChanges: true });
  });

  it('updates in place what can be, and drops what the program dropped', async () => {
    const { changes } = await up({ labels: { tier: 'two' }, annotations: undefined });
    assert.equal(changes.update, 1);
    assert.equal(changes.replace, undefined);
    const web = await apps.readNamespacedDeployment({ namespace: 'wire', name: 'web' });
    assert.deepEqual(web.metadata?.labels, { tier: 'two' });
    assert.equal(web.metadata?.annotations?.note, undefined);
  });

  it('replaces ConfigMaps whose data changes: generated names by new ones, fixed names in place', async () => {
    const before = await configMaps();
    const { changes, outputs } = await up({ greeting: 'goodbye' });
    assert.equal(changes.replace, 2);
    const name = outputs.generated?.value as string;
    assert.equal(name in before, false);
    assert.deepEqual(await configMaps(), { fixed: 'goodbye', [name]: 'goodbye' });
  });

  it('shows drift on a refresh, and takes it back', async () => {
    await core.deleteNamespacedConfigMap({ namespace: 'wire', name: 'fixed' });
    const web = await apps.readNamespacedDeployment({ namespace: 'wire', name: 'web' });
    web.metadata!.labels = { tier: 'drifted' };
    await apps.replaceNamespacedDeployment({ namespace: 'wire', name: 'web', body: web });
    const { summary } = await stack.refresh();
    assert.deepEqual([summary.resourceChanges?.delete, summary.resourceChanges?.update], [1, 1]);
    // Another owner has the field now: it is only taken back by force, and the preview says so.
    assert.match(await failure(stack.preview()), /field conflict.*metadata\.labels\.tier/s);
    wanted = { ...wanted, annotations: { 'pulumi.com/patchForce': 'true' } };
    const { changeSummary } = await stack.preview();
    assert.deepEqual([changeSummary.create, changeSummary.update], [1, 1]);
    const { changes } = await up();
    assert.deepEqual([changes.create, changes.update], [1, 1]);
    const mended = await apps.readNamespacedDeployment({ namespace: 'wire', name: 'web' });
    assert.deepEqual(mended.metadata?.labels, { tier: 'two' });
  });

  it('sets labels of a node that others made, changes them, and takes away only its own', async () => {
    const labels = async () => (await core.readNode({ name: 'n1' })).metadata?.labels;
    assert.deepEqual(await labels(), { mine: 'stays', 'posture/slot': 'slot-1' });
    await up({ nodeLabels: { 'posture/eligible': 'true' } });
    assert.deepEqual(await labels(), { mine: 'stays', 'posture/eligible': 'true' });
    await up({ nodeLabels: undefined });
    assert.deepEqual(await labels(), { mine: 'stays' });
  });

  it('previews what depends on a kubeconfig that is not known yet', async () => {
    wanted = { ...wanted, secondProvider: true };
    const { changeSummary } = await stack.preview();
    assert.equal(changeSummary.create, 3);
    const { changes } = await up();
    assert.equal(changes.create, 3);
    const { items } = await core.listNamespacedServiceAccount({ namespace: 'wire' });
    assert.ok(items.some((account) => /^late-[0-9a-f]{8}$/.test(account.metadata?.name ?? '')));
    await up({ secondProvider: false });
  });

  it('says why pods do not start, keeps what was made, and mends it the next time', async () => {
    const text = await failure(up({ replicas: 1 }));
    assert.match(text, /Deployment wire\/web: not ready after 8 s: 0 of 1 pods are available/);
    assert.match(text, /Unschedulable: 0\/1 nodes are available/);
    const { changes } = await up({ replicas: 0 });
    assert.equal(changes.update, 1);
    await stack.preview({ expectNoChanges: true });
  });

  it('refuses what it does not implement, what the API does not know, and what is there already', async () => {
    const refusal = (more: Wanted['more']) => failure(up({ more }));
    const list = (options: pulumi.CustomResourceOptions) =>
      new k8s.core.v1.ConfigMapList('list', { items: [] }, options);
    assert.match(await refusal(list), /does not implement the resource .*ConfigMapList/);
    const map =
      (metadata: object, rest: object = {}) =>
      (options: pulumi.CustomResourceOptions) =>
        new k8s.core.v1.ConfigMap('more', { metadata, ...rest }, options);
    assert.match(
      await refusal(map({ annotations: { 'pulumi.com/waitFor': 'condition=Ready' } })),
      /does not implement the annotation pulumi\.com\/waitFor/,
    );
    assert.match(
      await refusal(map({ namespace: 'wire', name: 'fixed' })),
      /already exists in the cluster/,
    );
    await up({ more: undefined });
  });

  it('destroys all of it, waits until it is gone, and touches nothing else', async () => {
    await stack.destroy();
    const { items } = await core.listNamespace();
    assert.equal(
      items.some((namespace) => namespace.metadata?.name === 'wire'),
      false,
    );
    assert.equal((await core.readNode({ name: 'n1' })).metadata?.labels?.mine, 'stays');
  });
});
