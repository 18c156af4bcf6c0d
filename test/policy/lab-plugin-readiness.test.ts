import assert from 'node:assert/strict';
import type { KubeObject } from '../lab/plugins/kubernetes/api/cluster';
import { whyStillThere } from '../lab/plugins/kubernetes/objects/delete';
import { readiness, SETTLED_MS, type Related } from '../lab/plugins/kubernetes/ready/predicates';
import { podProblems } from '../lab/plugins/kubernetes/ready/problems';

const object = (spec: object, status: object, rest: object = {}): KubeObject => ({
  ...{ apiVersion: 'v1', kind: 'X', metadata: { name: 'x', generation: 2 } },
  ...{ spec: spec as KubeObject['spec'], status: status as KubeObject['status'] },
  ...rest,
});
const judge = (kind: string, spec: object, status: object, related: Related = {}) =>
  readiness(kind.slice(0, kind.lastIndexOf('/')), kind.slice(kind.lastIndexOf('/') + 1))!(
    object(spec, status),
    related,
  );
const isReady = (...args: Parameters<typeof judge>) => judge(...args).ready;

describe('lab kubernetes plugin: when an object is ready', () => {
  it('Deployment: its controller has seen it and every pod is of this generation and available', () => {
    const kind = 'apps/v1/Deployment';
    const done = { observedGeneration: 2, replicas: 2, updatedReplicas: 2, availableReplicas: 2 };
    assert.equal(isReady(kind, { replicas: 2 }, done), true);
    assert.equal(isReady(kind, { replicas: 0 }, { observedGeneration: 2 }), true);
    for (const short of [
      { observedGeneration: 1 },
      { updatedReplicas: 1 },
      { availableReplicas: 1 },
      { replicas: 3 },
    ]) {
      assert.equal(isReady(kind, { replicas: 2 }, { ...done, ...short }), false);
    }
    const conditions = [{ type: 'Progressing', status: 'False', message: 'deadline exceeded' }];
    assert.match(judge(kind, {}, { conditions }).message, /0 of 1 .*deadline exceeded/);
  });

  it('StatefulSet: every pod is ready and of the new revision', () => {
    const kind = 'apps/v1/StatefulSet';
    const done = {
      ...{ observedGeneration: 2, replicas: 1, readyReplicas: 1, currentReplicas: 1 },
      ...{ currentRevision: 'a', updateRevision: 'a' },
    };
    assert.equal(isReady(kind, { replicas: 1 }, done), true);
    const rolling = { ...done, updateRevision: 'b' };
    assert.equal(isReady(kind, { replicas: 1 }, rolling), false);
    const onDelete = { replicas: 1, updateStrategy: { type: 'OnDelete' } };
    assert.equal(isReady(kind, onDelete, rolling), true);
  });

  it('DaemonSet: as many pods as there are nodes for it, updated and available', () => {
    const kind = 'apps/v1/DaemonSet';
    const done = {
      ...{ observedGeneration: 2, desiredNumberScheduled: 3, currentNumberScheduled: 3 },
      ...{ updatedNumberScheduled: 3, numberAvailable: 3, numberReady: 3 },
    };
    assert.equal(isReady(kind, {}, done), true);
    assert.equal(isReady(kind, {}, { ...done, updatedNumberScheduled: 2 }), false);
    assert.equal(isReady(kind, {}, { desiredNumberScheduled: 0 }), false);
  });

  it('Job: it is complete; a failed one fails at once and says why', () => {
    const kind = 'batch/v1/Job';
    const condition = (type: string) => ({
      conditions: [{ type, status: 'True', reason: 'BackoffLimitExceeded', message: 'no luck' }],
    });
    assert.equal(isReady(kind, {}, condition('Complete')), true);
    assert.equal(isReady(kind, {}, { startTime: 'now', succeeded: 0 }), false);
    assert.match(judge(kind, {}, condition('Failed')).failed!, /BackoffLimitExceeded: no luck/);
  });

  it('Pod: it is ready or has succeeded; a failed one fails at once', () => {
    const ready = { conditions: [{ type: 'Ready', status: 'True' }] };
    assert.equal(isReady('v1/Pod', {}, { phase: 'Running', ...ready }), true);
    assert.equal(isReady('v1/Pod', {}, { phase: 'Succeeded' }), true);
    assert.equal(isReady('v1/Pod', {}, { phase: 'Running' }), false);
    assert.notEqual(judge('v1/Pod', {}, { phase: 'Failed' }).failed, undefined);
  });

  it('Service: its pods are ready, or it has none for a while; without a selector at once', () => {
    const spec = { selector: { a: 'b' }, clusterIP: '10.96.0.1' };
    const with_ = (subsets: object[], settledMs = 0): Related => ({
      endpoints: { ...object({}, {}), subsets },
      endpointsSettledMs: settledMs,
    });
    const kind = 'v1/Service';
    assert.equal(isReady(kind, spec, {}), false);
    assert.equal(isReady(kind, spec, {}, with_([{ addresses: [{}] }])), true);
    assert.equal(
      isReady(kind, spec, {}, with_([{ addresses: [{}], notReadyAddresses: [{}] }], SETTLED_MS)),
      false,
    );
    assert.equal(isReady(kind, spec, {}, with_([])), false);
    assert.equal(isReady(kind, spec, {}, with_([], SETTLED_MS)), true);
    for (const free of [{ clusterIP: 'None' }, { selector: {} }, { type: 'ExternalName' }]) {
      assert.equal(isReady(kind, { ...spec, ...free }, {}), true);
    }
  });

  it('Service of type LoadBalancer: it has an address besides', () => {
    const spec = { type: 'LoadBalancer' };
    assert.equal(isReady('v1/Service', spec, {}), false);
    const status = { loadBalancer: { ingress: [{ ip: '1.2.3.4' }] } };
    assert.equal(isReady('v1/Service', spec, status), true);
  });

  it('PersistentVolumeClaim: it is bound, or waits for its first user because its class says so', () => {
    const kind = 'v1/PersistentVolumeClaim';
    const late = { storageClass: { ...object({}, {}), volumeBindingMode: 'WaitForFirstConsumer' } };
    assert.equal(isReady(kind, {}, { phase: 'Bound' }), true);
    assert.equal(isReady(kind, {}, { phase: 'Pending' }), false);
    assert.equal(isReady(kind, {}, { phase: 'Pending' }, late), true);
  });

  it('kinds without a rule are ready once they exist', () => {
    assert.equal(readiness('v1', 'ConfigMap'), undefined);
    assert.equal(readiness('v1', 'Namespace'), undefined);
  });
});

describe('lab kubernetes plugin: why an object is not ready', () => {
  it('says what a pod waits for', () => {
    const status = {
      conditions: [
        { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes' },
      ],
      containerStatuses: [
        { name: 'a', state: { waiting: { reason: 'ImagePullBackOff', message: 'not found' } } },
        { name: 'b', state: { waiting: { reason: 'ContainerCreating' } } },
        {
          name: 'c',
          state: { waiting: { reason: 'CrashLoopBackOff' } },
          lastState: { terminated: { exitCode: 137, reason: 'OOMKilled' } },
        },
        { name: 'd', state: { terminated: { exitCode: 0, reason: 'Completed' } } },
      ],
    };
    assert.deepEqual(podProblems(object({}, status)), [
      'pod x: Unschedulable: 0/3 nodes',
      'pod x, container a: ImagePullBackOff: not found',
      'pod x, container c: CrashLoopBackOff',
      'pod x, container c: exited with 137 (OOMKilled)',
    ]);
  });

  it('says what holds an object that is being deleted', () => {
    const conditions = [
      { type: 'NamespaceContentRemaining', status: 'True', message: 'pods. has 1 instance' },
      { type: 'Other', status: 'False', message: 'not said' },
    ];
    const namespace = object({ finalizers: ['kubernetes'] }, { conditions }, { kind: 'Namespace' });
    assert.equal(whyStillThere(namespace), 'pods. has 1 instance; finalizers: kubernetes');
    assert.equal(whyStillThere(object({}, {})), '');
  });
});
