import assert from 'node:assert/strict';
import { AppsV1Api, CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import * as k8s from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import type { Stack } from '@pulumi/pulumi/automation';
import { startControlPlane, type ControlPlane } from './support/control-plane';
import { startEngine, type Engine } from './support/engine';

type Options = pulumi.CustomResourceOptions;

describe('lab: the kubernetes plugin waits for what real controllers do', function () {
  // kwok takes its time with pods that come later, above all on a busy machine.
  this.timeout(1_800_000);
  let controlPlane: ControlPlane;
  let engine: Engine;
  let stack: Stack;
  let core: CoreV1Api;
  let apps: AppsV1Api;
  let declare: (options: Options) => Record<string, unknown> = () => ({});

  // Pods go at once: nothing here is about the time that they take to end.
  const container = (image: string) => ({
    containers: [{ name: 'main', image }],
    terminationGracePeriodSeconds: 0,
  });
  const template = (image: string) => ({
    metadata: { labels: { app: 'web' } },
    spec: container(image),
  });
  const selector = { matchLabels: { app: 'web' } };
  const web = (image: string) => (options: Options) => {
    const deployment = new k8s.apps.v1.Deployment(
      'web',
      {
        metadata: { name: 'web', namespace: 'default' },
        spec: { replicas: 2, selector, template: template(image) },
      },
      options,
    );
    const spec = { selector: selector.matchLabels, ports: [{ port: 80 }] };
    const service = new k8s.core.v1.Service('web', { metadata: { name: 'web' }, spec }, options);
    const daemons = new k8s.apps.v1.DaemonSet(
      'agent',
      { metadata: { name: 'agent' }, spec: { selector, template: template(image) } },
      options,
    );
    const set = new k8s.apps.v1.StatefulSet(
      'db',
      {
        metadata: { name: 'db' },
        spec: { selector, serviceName: 'db', template: template(image) },
      },
      options,
    );
    return {
      deployment: deployment.status.availableReplicas,
      address: service.spec.clusterIP,
      daemons: daemons.status.numberAvailable,
      set: set.status.readyReplicas,
    };
  };
  const up = async (program: typeof declare) => {
    declare = program;
    const { outputs, summary } = await stack.up();
    const values = Object.fromEntries(
      Object.entries(outputs).map(([k, v]) => [k, v.value as unknown]),
    );
    return { values, changes: summary.resourceChanges ?? {} };
  };

  before(async function () {
    // What the cache lacks is built first.
    this.timeout(3_600_000);
    [controlPlane, engine] = await Promise.all([
      startControlPlane({ controllerManager: true, scheduler: true, kwok: true }),
      startEngine('kubernetes'),
    ]);
    const config = new KubeConfig();
    config.loadFromString(controlPlane.kubeconfig);
    core = config.makeApiClient(CoreV1Api);
    apps = config.makeApiClient(AppsV1Api);
    for (const name of ['n1', 'n2', 'n3']) await core.createNode({ body: { metadata: { name } } });
    stack = await engine.stack(async () => {
      const { kubeconfig } = controlPlane;
      const provider = new k8s.Provider('k8s', { kubeconfig: pulumi.secret(kubeconfig) });
      return declare({ provider });
    });
  });
  after(async () => {
    await engine?.stop();
    await controlPlane?.stop();
  });

  it('returns when pods run: what it outputs is the state then', async () => {
    const { values } = await up(web('one'));
    assert.match(values.address as string, /^10\.96\./);
    assert.deepEqual([values.deployment, values.daemons, values.set], [2, 3, 1]);
    await stack.refresh();
    await stack.preview({ expectNoChanges: true });
  });

  it('returns from an update when only pods of the new template are left', async () => {
    const { changes } = await up(web('two'));
    assert.equal(changes.update, 3);
    const { items } = await core.listNamespacedPod({
      namespace: 'default',
      labelSelector: 'app=web',
    });
    const running = items.filter((pod) => pod.metadata?.deletionTimestamp === undefined);
    assert.deepEqual([...new Set(running.map((pod) => pod.spec?.containers[0]?.image))], ['two']);
    assert.equal(running.length, 6);
  });

  it('waits for a Job to complete, and replaces it for another template', async () => {
    const job = (image: string) => (options: Options) => {
      const { status } = new k8s.batch.v1.Job(
        'job',
        { spec: { template: { spec: { ...container(image), restartPolicy: 'Never' } } } },
        options,
      );
      return { succeeded: status.succeeded };
    };
    assert.equal((await up(job('one'))).values.succeeded, 1);
    const { changes, values } = await up(job('two'));
    assert.equal(changes.replace, 1);
    assert.equal(values.succeeded, 1);
  });

  it('has waited until what it deleted was gone, with its pods', async () => {
    const { items } = await apps.listNamespacedDeployment({ namespace: 'default' });
    assert.deepEqual(items, []);
    const pods = await core.listNamespacedPod({ namespace: 'default', labelSelector: 'app=web' });
    assert.deepEqual(pods.items, []);
  });

  it('says at once that a Job has failed, and why', async () => {
    const failing = (options: Options) => {
      const spec = { activeDeadlineSeconds: 1, template: { spec: { ...container('x') } } };
      const pod = { ...spec.template.spec, restartPolicy: 'Never', schedulerName: 'nobody' };
      new k8s.batch.v1.Job('late', { spec: { ...spec, template: { spec: pod } } }, options);
      return {};
    };
    await assert.rejects(up(failing), /the job failed: DeadlineExceeded/);
    await stack.destroy();
  });
});
