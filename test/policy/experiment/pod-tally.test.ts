import assert from 'node:assert/strict';
import { PodTally } from '../../../runtime/experiment/policy/pod-tally';
import type { TimeBounds } from '../../../runtime/experiment-report/types';
import type { Pod } from '../../../runtime/shared/kubernetes/types';

interface Shape {
  readonly node?: string;
  readonly state?: 'Pending' | 'Running';
  readonly revision?: number;
  readonly conditions?: readonly string[];
}
const pod = (
  name: string,
  { node, state = 'Pending', revision, conditions = [] }: Shape = {},
): Pod => ({
  metadata: {
    name,
    uid: `uid-${name}`,
    ...(revision !== undefined && { resourceVersion: String(revision) }),
  },
  spec: { containers: [{ name: 'wl-container' }], ...(node !== undefined && { nodeName: node }) },
  status: {
    phase: state,
    conditions: conditions.map((type) => ({ type, status: 'True' })),
    containerStatuses: [
      { name: 'wl-container', state: state === 'Running' ? { running: {} } : {} },
    ],
  },
});
const exactly = (revision: number): TimeBounds => ({
  notBeforeMs: 10 * revision,
  notAfterMs: 10 * revision,
});
const RUNNING = { node: 'node-1', state: 'Running' } as const;

describe('the tally of pods', () => {
  it('times a placement by the revisions that created the pod and gave it its node', () => {
    const tally = new PodTally();
    tally.set(pod('a', { revision: 1 }));
    tally.set(pod('b', { revision: 2 }));
    tally.set(pod('b', { revision: 3, conditions: ['PodScheduled'] }));
    tally.set(pod('b', { revision: 4, node: 'node-2', conditions: ['PodScheduled'] }));
    tally.set(pod('a', { revision: 5, node: 'node-1', conditions: ['PodScheduled'] }));
    tally.set(pod('a', { ...RUNNING, revision: 6, conditions: ['PodScheduled', 'Ready'] }));
    assert.deepEqual(tally.placements(exactly), [
      { pod: 'b', node: 'node-2', created: exactly(2), bound: exactly(4) },
      { pod: 'a', node: 'node-1', created: exactly(1), bound: exactly(5) },
    ]);
    assert.equal(tally.placements(() => null)[0]?.bound, null);
  });

  it('does not time what it saw only afterwards, when the watch had to begin anew', () => {
    const tally = new PodTally();
    tally.set(pod('a', { revision: 3, conditions: ['PodScheduled'] }));
    tally.set(pod('a', { ...RUNNING, revision: 9, conditions: ['PodScheduled', 'Ready'] }));
    assert.deepEqual(tally.placements(exactly), [
      { pod: 'a', node: 'node-1', created: null, bound: null },
    ]);
  });

  it('does not count pods that had their node before, nor those that never got one', () => {
    const tally = new PodTally();
    tally.set(pod('old', RUNNING));
    tally.set(pod('stuck'));
    assert.deepEqual(tally.placements(exactly), []);
    assert.deepEqual(tally.counts(), { running: 1, pending: 1 });
  });

  it('keeps the placement of a pod that is gone, and counts it no more', () => {
    const tally = new PodTally();
    tally.set(pod('a'));
    tally.set(pod('a', RUNNING));
    tally.remove(pod('a', RUNNING));
    assert.equal(tally.placements(exactly).length, 1);
    assert.deepEqual(tally.counts(), { running: 0, pending: 0 });
  });

  it('counts as running what the dashboard counts: pods whose container runs', () => {
    const tally = new PodTally();
    tally.set({ ...pod('a', RUNNING), status: { phase: 'Running' } });
    tally.set(pod('b', RUNNING));
    assert.deepEqual(tally.counts(), { running: 1, pending: 0 });
  });
});
