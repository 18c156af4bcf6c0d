import assert from 'node:assert/strict';
import fc from 'fast-check';
import { decide } from '../../../runtime/autoscaler/policy/decide';
import { checkScalingSettings } from '../../../runtime/autoscaler/settings';
import type { Decision, Snapshot } from '../../../runtime/autoscaler/types';
import { node } from '../cpu-scheduler/support';
import { bound, NOW_MS, settings, snapshot, waiting, worker } from './support';

const of = (view: Snapshot, env: Record<string, string> = {}): Decision =>
  decide(view, settings(env), NOW_MS);
/** The decision in a word: `up 1`, `down k3s-worker-3`, `hold`. */
const word = (decision: Decision): string =>
  decision.kind === 'up'
    ? `up ${decision.count} ${decision.trigger}`
    : decision.kind === 'down'
      ? `down ${decision.nodes.join(' ')}`
      : 'hold';
const SECOND = 1000;

describe('autoscaler: settings', () => {
  it('have the defaults of the document', () => {
    const defaults = settings();
    assert.deepEqual(
      { ...defaults, permanentWorkers: [...defaults.permanentWorkers] },
      {
        checkIntervalMs: 5000,
        dryRun: false,
        pendingPods: 1,
        cpuThresholdRatio: 0.8,
        memoryThresholdRatio: 0.8,
        cpuScaleDownRatio: 0.3,
        memoryScaleDownRatio: 0.3,
        minNodes: 2,
        maxNodes: 6,
        scaleUpCooldownMs: 60_000,
        scaleDownCooldownMs: 120_000,
        maxScaleUp: 3,
        maxScaleDown: 1,
        readingMaxAgeMs: 60_000,
        permanentWorkers: ['k3s-worker-1', 'k3s-worker-2'],
        evictBarePods: false,
        evictionCooldownMs: 600_000,
      },
    );
  });

  it('that contradict themselves are refused, all at once', () => {
    const bad = settings({ MIN_NODES: '7', CPU_SCALE_DOWN: '0.8', MEMORY_SCALE_DOWN: '0.9' });
    assert.throws(() => checkScalingSettings(bad), /MIN_NODES[^]*CPU_SCALE_DOWN[^]*MEMORY_SCALE/);
    checkScalingSettings(settings());
  });
});

describe('autoscaler: the decision', () => {
  const cases: [string, Snapshot, string, Record<string, string>?][] = [
    ['one pending pod adds a node', snapshot({ pending: [waiting()] }), 'up 1 pending'],
    [
      'fewer pending than the setting add none',
      snapshot({ workers: [1, 2], pending: [waiting()] }),
      'hold',
      { PENDING_PODS: '2' },
    ],
    [
      'CPU and memory at their thresholds add a node',
      snapshot({ cpu: 0.8, memory: 0.8 }),
      'up 1 usage',
    ],
    ['CPU alone adds none', snapshot({ cpu: 0.95, memory: 0.79 }), 'hold'],
    ['memory alone adds none', snapshot({ cpu: 0.79, memory: 0.95 }), 'hold'],
    ['unknown CPU adds none', snapshot({ cpu: null, memory: 0.95 }), 'hold'],
    ['unknown CPU removes none', snapshot({ cpu: null }), 'hold'],
    ['unknown memory removes none', snapshot({ memory: null }), 'hold'],
    ['both low remove the last in', snapshot({ workers: [1, 2, 3, 10, 9] }), 'down k3s-worker-10'],
    ['CPU at the lower threshold removes none', snapshot({ cpu: 0.3 }), 'hold'],
    ['memory at the lower threshold removes none', snapshot({ memory: 0.3 }), 'hold'],
    ['a permanent worker stays', snapshot({ workers: [1, 2] }), 'hold', { MIN_NODES: '1' }],
    ['a node of another name stays', snapshot({ workers: [1, 2, node('other')] }), 'hold'],
    ['the minimum stays', snapshot({ workers: [1, 2, 3] }), 'hold', { MIN_NODES: '3' }],
    ['below the minimum it grows', snapshot({ workers: [1] }), 'up 1 minimum'],
    [
      'below the minimum no cooldown counts',
      snapshot({ workers: [], scaledUpAtMs: NOW_MS }),
      'up 2 minimum',
    ],
    [
      'a coming node counts for the minimum',
      snapshot({ workers: [1], adding: new Set(['k3s-worker-3']) }),
      'hold',
    ],
    [
      'a going node does not',
      snapshot({ workers: [1, 2], removing: new Set(['k3s-worker-2']) }),
      'up 1 minimum',
    ],
    [
      'the maximum is never passed',
      snapshot({ workers: [1, 2, 3, 4, 5, 6], pending: [waiting()] }),
      'hold',
    ],
    [
      'growing waits for its cooldown',
      snapshot({ pending: [waiting()], scaledUpAtMs: NOW_MS - 59 * SECOND }),
      'hold',
    ],
    [
      'and goes on after it',
      snapshot({ pending: [waiting()], scaledUpAtMs: NOW_MS - 60 * SECOND }),
      'up 1 pending',
    ],
    [
      'growing does not wait for shrinking',
      snapshot({ pending: [waiting()], scaledDownAtMs: NOW_MS }),
      'up 1 pending',
    ],
    ['shrinking waits for shrinking', snapshot({ scaledDownAtMs: NOW_MS - 119 * SECOND }), 'hold'],
    ['shrinking waits for growing', snapshot({ scaledUpAtMs: NOW_MS - 119 * SECOND }), 'hold'],
    [
      'and goes on after both',
      snapshot({ scaledUpAtMs: NOW_MS - 120 * SECOND, scaledDownAtMs: NOW_MS - 120 * SECOND }),
      'down k3s-worker-3',
    ],
    [
      'one shrinks at a time',
      snapshot({ workers: [1, 2, 3, 4], removing: new Set(['k3s-worker-4']) }),
      'hold',
    ],
    [
      'nothing is decided before all is listed',
      snapshot({ synced: false, pending: [waiting()] }),
      'hold',
    ],
    [
      'a control plane is not counted',
      snapshot({
        workers: [1, node('m', { labels: { 'node-role.kubernetes.io/control-plane': 'true' } })],
      }),
      'up 1 minimum',
    ],
  ];
  for (const [what, view, expected, env] of cases)
    it(what, () => assert.equal(word(of(view, env)), expected));

  it('adds as many as the pods that wait fill, within the bound, less those that are coming', () => {
    const pending = Array.from({ length: 8 }, (_, index) =>
      waiting({ name: `p${index}`, cpu: '2' }),
    );
    assert.equal(word(of(snapshot({ workers: [1, 2], pending }))), 'up 3 pending');
    const adding = new Set(['k3s-worker-8', 'k3s-worker-9']);
    assert.equal(word(of(snapshot({ workers: [1, 2], pending, adding }))), 'up 2 pending');
    assert.equal(word(of(snapshot({ pending: pending.slice(0, 4), adding }))), 'hold');
  });

  it('a reading that is too old is unknown', () => {
    const view = snapshot();
    const decision = decide(view, settings(), NOW_MS + 60_001);
    assert.equal(decision.kind, 'hold');
    assert.equal(decision.evidence.cpu.unknown, 3);
    assert.match(decision.reason, /unknown of 3, taken as full/);
  });

  it('says what it rests on', () => {
    const { reason, evidence } = of(snapshot({ cpu: 0.85, memory: 0.9 }));
    assert.equal(reason, 'CPU 85.0 % and memory 90.0 % are high');
    assert.equal(evidence.workers, 3);
  });

  it('never passes the limits, and never takes a permanent worker, whatever it sees', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { maxLength: 10 }),
        fc.constantFrom(0, 0.2, 0.5, 0.9, null),
        fc.constantFrom(0, 0.2, 0.9, null),
        fc.integer({ min: 0, max: 9 }),
        fc.subarray(['k3s-worker-3', 'k3s-worker-5', 'k3s-worker-20']),
        (numbers, cpu, memory, waits, going) => {
          const pending = Array.from({ length: waits }, (_, i) => waiting({ name: `p${i}` }));
          const removing = new Set(going);
          const view = snapshot({ workers: numbers, cpu, memory, pending, removing });
          const decision = of(view, { MAX_SCALE_DOWN: '4' });
          const count = numbers.filter((n) => !removing.has(`k3s-worker-${n}`)).length;
          if (decision.kind === 'up') assert.ok(count + decision.count <= 6);
          if (decision.kind === 'down') {
            assert.ok(count - decision.nodes.length >= 2);
            for (const name of decision.nodes) assert.ok(!settings().permanentWorkers.has(name));
          }
        },
      ),
      { seed: 42, numRuns: 300 },
    );
  });
});

describe('autoscaler: pods that no new node would take', () => {
  const vain: [string, ReturnType<typeof waiting>, RegExp][] = [
    ['too large', waiting({ cpu: '5' }), /Insufficient cpu/],
    [
      'a selector that no worker meets',
      waiting({ spec: { nodeSelector: { disk: 'ssd' } } }),
      /node affinity\/selector/,
    ],
    [
      'a claim that cannot bind',
      waiting(
        {},
        { claims: [{ state: 'cannot-bind', name: 'data', why: 'no such storage class' }] },
      ),
      /claim data cannot bind: no such storage class/,
    ],
    [
      'a claim bound elsewhere',
      waiting(
        {},
        {
          claims: [
            {
              state: 'bound',
              name: 'data',
              terms: [
                {
                  matchExpressions: [
                    { key: 'kubernetes.io/hostname', operator: 'In', values: ['k3s-worker-1'] },
                  ],
                },
              ],
            },
          ],
        },
      ),
      /volume of other nodes/,
    ],
    ['a closed gate', waiting({}, { obstacles: ['scheduling gate wait'] }), /scheduling gate wait/],
  ];
  for (const [what, pending, why] of vain) {
    it(`${what}: no node comes, and it says why`, () => {
      const { kind, evidence } = of(snapshot({ workers: [1, 2], pending: [pending] }));
      assert.equal(kind, 'hold');
      assert.match(evidence.passedOver[0]?.why ?? '', why);
    });
    it(`${what}: nodes can still go`, () => {
      assert.equal(word(of(snapshot({ pending: [pending] }))), 'down k3s-worker-3');
    });
  }

  it('leaves room for the DaemonSets of a new node', () => {
    const pods = [bound('agent', 3, { owner: 'DaemonSet', cpu: '500m' })];
    assert.equal(
      word(of(snapshot({ pods, pending: [waiting({ cpu: '3500m' })] }))),
      'up 1 pending',
    );
    const { evidence } = of(snapshot({ pods, pending: [waiting({ cpu: '3600m' })] }));
    assert.match(evidence.passedOver[0]?.why ?? '', /Insufficient cpu/);
  });

  it('a claim that waits for its pod does not matter', () => {
    const one = waiting({}, { claims: [{ state: 'waits-for-pod', name: 'data' }] });
    assert.equal(word(of(snapshot({ pending: [one] }))), 'up 1 pending');
  });

  it('taints and labels of one worker are not those of a new one', () => {
    const tainted = worker(3, {
      labels: { disk: 'ssd' },
      spec: { taints: [{ key: 'broken', effect: 'NoSchedule' }] },
    });
    assert.equal(
      word(of(snapshot({ workers: [1, 2, tainted], pending: [waiting()] }))),
      'up 1 pending',
    );
    const wants = waiting({ spec: { nodeSelector: { disk: 'ssd' } } });
    assert.equal(of(snapshot({ workers: [1, 2, tainted], pending: [wants] })).evidence.pending, 0);
  });
});
