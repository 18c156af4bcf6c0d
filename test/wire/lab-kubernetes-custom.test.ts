import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { ApiextensionsV1Api, CustomObjectsApi, KubeConfig } from '@kubernetes/client-node';
import * as k8s from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import type { Stack } from '@pulumi/pulumi/automation';
import { startControlPlane, type ControlPlane } from './support/control-plane';
import { startEngine, type Engine } from './support/engine';

const FINALIZER = 'finalizer.example.org';
const RESOURCE = {
  group: 'example.org',
  version: 'v1alpha1',
  namespace: 'default',
  plural: 'berths',
} as const;
const ONE = { ...RESOURCE, name: 'one' };

/** A custom object, as an operator sees it. */
interface Berth {
  metadata: { generation: number; finalizers?: string[]; deletionTimestamp?: string };
  spec: { interval: number; request: string; extra?: object };
}

describe('lab: the kubernetes plugin and custom resources', function () {
  this.timeout(1_800_000);
  this.bail(true);
  let controlPlane: ControlPlane;
  let engine: Engine;
  let stack: Stack;
  let custom: CustomObjectsApi;
  let definitions: ApiextensionsV1Api;
  let interval = 10;

  const program = () => {
    const provider = new k8s.Provider('k8s', {
      kubeconfig: pulumi.secret(controlPlane.kubeconfig),
    });
    new k8s.apiextensions.CustomResource(
      'one',
      {
        apiVersion: 'example.org/v1alpha1',
        kind: 'Berth',
        metadata: {
          name: 'one',
          namespace: 'default',
          annotations: { 'pulumi.com/patchForce': 'true' },
        },
        spec: { interval, request: '1000m' },
      },
      { provider },
    );
    return Promise.resolve();
  };
  const live = async () => (await custom.getNamespacedCustomObject(ONE)) as Berth;
  /** Waits for a state of the live object; the limit is for machines that are busy. */
  const until = async (what: string, look: () => Promise<boolean>) => {
    for (const deadline = Date.now() + 600_000; Date.now() < deadline; await pause(200))
      if (await look().catch(() => false)) return;
    assert.fail(`${what}: not within 600 s`);
  };

  before(async function () {
    // What the cache lacks is built first.
    this.timeout(3_600_000);
    [controlPlane, engine] = await Promise.all([startControlPlane(), startEngine('kubernetes')]);
    const config = new KubeConfig();
    config.loadFromString(controlPlane.kubeconfig);
    custom = config.makeApiClient(CustomObjectsApi);
    definitions = config.makeApiClient(ApiextensionsV1Api);
    stack = await engine.stack(program);
  });
  after(async () => {
    await engine?.stop();
    await controlPlane?.stop();
  });

  it('previews one whose definition is not there yet', async () => {
    const { changeSummary } = await stack.preview();
    assert.equal(changeSummary.create, 3);
  });

  it('makes it once the definition is there, and waits for no condition', async () => {
    await definitions.createCustomResourceDefinition({
      body: {
        metadata: { name: 'berths.example.org' },
        spec: {
          group: RESOURCE.group,
          scope: 'Namespaced',
          names: { plural: RESOURCE.plural, singular: 'berth', kind: 'Berth' },
          versions: [
            {
              name: RESOURCE.version,
              served: true,
              storage: true,
              subresources: { status: {} },
              schema: {
                openAPIV3Schema: {
                  type: 'object',
                  properties: {
                    spec: {
                      type: 'object',
                      properties: {
                        interval: { type: 'integer' },
                        request: { type: 'string' },
                        extra: { type: 'object' },
                      },
                    },
                    status: { type: 'object' },
                  },
                },
              },
            },
          ],
        },
      },
    });
    await until('the definition to be served', async () => {
      await custom.listNamespacedCustomObject(RESOURCE);
      const { resources } = await custom.getAPIResources(RESOURCE);
      return resources.some(({ name }) => name === RESOURCE.plural);
    });
    await stack.up();
    assert.deepEqual((await live()).spec, { interval: 10, request: '1000m' });
  });

  it('finds nothing to change after an operator has written to it, and takes its own fields back', async () => {
    // As KEDA does: the whole object, with a finalizer, and quantities in other words.
    const written = await live();
    await custom.replaceNamespacedCustomObject({
      ...ONE,
      body: {
        ...written,
        metadata: { ...written.metadata, finalizers: [FINALIZER] },
        spec: { ...written.spec, request: '1', extra: {} },
      },
    });
    await stack.preview({ expectNoChanges: true });
    interval = 5;
    const { summary } = await stack.up();
    assert.equal(summary.resourceChanges?.update, 1);
    const { spec, metadata } = await live();
    assert.deepEqual(spec, { interval: 5, request: '1000m', extra: {} });
    assert.deepEqual(metadata.finalizers, [FINALIZER]);
  });

  it('waits with its end until the operator has taken off the finalizer', async () => {
    let ended = false;
    const destroyed = stack.destroy().then(() => (ended = true));
    await until('the object to be marked', async () =>
      Boolean((await live()).metadata.deletionTimestamp),
    );
    assert.equal(ended, false);
    const marked = await live();
    await custom.replaceNamespacedCustomObject({
      ...ONE,
      body: { ...marked, metadata: { ...marked.metadata, finalizers: [] } },
    });
    await destroyed;
    await assert.rejects(live(), /404/);
  });
});
