import assert from 'node:assert/strict';
import { PodTally } from '../../../runtime/experiment/policy/pod-tally';
import type { Pod } from '../../../runtime/shared/kubernetes/types';

const pod = (name: string, node?: string, state: 'Pending' | 'Running' = 'Pending'): Pod => ({
  metadata: { name, uid: `uid-${name}` },
  spec: { containers: [{ name: 'wl-container' }], ...(node !== undefined && { nodeName: node }) },
  status: {
    phase: state,
    containerStatuses: [
      { name: 'wl-container', state: state === 'Running' ? { running: {} } : {} },
    ],
  },
});

describe('the tally of pods', () => {
  it('times a placement from the pod without a node to the pod with one', () => {
    const tally = new PodTally();
    tally.set(pod('a'), 1000);
    tally.set(pod('b'), 1010);
    tally.set(pod('b', 'node-2'), 1025);
    tally.set(pod('a', 'node-1'), 1040);
    tally.set(pod('a', 'node-1', 'Running'), 2000);
    assert.deepEqual(tally.placements(), [
      { pod: 'b', node: 'node-2', createdAtMs: 1010, boundAtMs: 1025 },
      { pod: 'a', node: 'node-1', createdAtMs: 1000, boundAtMs: 1040 },
    ]);
  });

  it('does not count pods that had their node before, nor those that never got one', () => {
    const tally = new PodTally();
    tally.set(pod('old', 'node-1', 'Running'), 1000);
    tally.set(pod('stuck'), 1000);
    assert.deepEqual(tally.placements(), []);
    assert.deepEqual(tally.counts(), { running: 1, pending: 1 });
  });

  it('keeps the placement of a pod that is gone, and counts it no more', () => {
    const tally = new PodTally();
    tally.set(pod('a'), 1);
    tally.set(pod('a', 'node-1', 'Running'), 2);
    tally.remove(pod('a', 'node-1'));
    assert.equal(tally.placements().length, 1);
    assert.deepEqual(tally.counts(), { running: 0, pending: 0 });
  });

  it('counts as running what the dashboard counts: pods whose container runs', () => {
    const tally = new PodTally();
    tally.set({ ...pod('a', 'node-1', 'Running'), status: { phase: 'Running' } }, 1);
    tally.set(pod('b', 'node-1', 'Running'), 1);
    assert.deepEqual(tally.counts(), { running: 1, pending: 0 });
  });
});
