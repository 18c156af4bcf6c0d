import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { decide } from '../../../runtime/autoscaler/policy/decide';
import { replay } from '../../../runtime/autoscaler/policy/replay';
import { rulesOf } from '../../../runtime/autoscaler/policy/rules';
import { snapshotFromText, snapshotToText } from '../../../runtime/autoscaler/policy/snapshot-text';
import { isWorthRecording } from '../../../runtime/autoscaler/policy/worth-recording';
import type { DecisionRecord } from '../../../runtime/autoscaler/ports';
import { DecisionRecorder, unpackSnapshot } from '../../../runtime/autoscaler/state/recorder';
import type { Decision } from '../../../runtime/autoscaler/types';
import { bound, NOW_MS, settings, snapshot, waiting, worker } from './support';

const ratio = fc.option(fc.double({ min: 0, max: 1, noNaN: true }));
const anySnapshot = fc
  .record({
    workers: fc.integer({ min: 0, max: 5 }),
    notReady: fc.boolean(),
    cpu: ratio,
    memory: ratio,
    pods: fc.array(
      fc.record({ on: fc.integer({ min: 1, max: 5 }), cpu: fc.integer({ min: 1, max: 3 }) }),
      {
        maxLength: 6,
      },
    ),
    pending: fc.array(fc.integer({ min: 1, max: 8 }), { maxLength: 4 }),
    scaledUpAtMs: fc.constantFrom(0, NOW_MS - 1000, NOW_MS - 90_000),
    adding: fc.boolean(),
  })
  .map(({ workers, notReady, pods, pending, adding, ...rest }) =>
    snapshot({
      ...rest,
      workers: Array.from({ length: workers }, (_, index) =>
        worker(index + 1, { ready: !(notReady && index === 0) }),
      ),
      pods: pods.map(({ on, cpu }, index) => bound(`p${index}`, on, { cpu: String(cpu) })),
      pending: pending.map((cpu, index) => waiting({ name: `w${index}`, cpu: String(cpu) })),
      adding: new Set(adding ? ['k3s-worker-9'] : []),
    }),
  );

describe('autoscaler: replay', () => {
  it('a snapshot that was written down leads to the same decision, whatever it is', () => {
    fc.assert(
      fc.property(anySnapshot, (seen) => {
        const again = snapshotFromText(snapshotToText(seen));
        assert.deepEqual(decide(again, settings(), NOW_MS), decide(seen, settings(), NOW_MS));
      }),
    );
  });

  it('differs nowhere under the settings that were in force', () => {
    fc.assert(
      fc.property(fc.array(anySnapshot, { maxLength: 3 }), (all) => {
        const past = all.map((seen) => ({
          snapshot: seen,
          decision: decide(seen, settings(), NOW_MS),
        }));
        assert.ok(replay(past, settings()).every(({ differs }) => !differs));
      }),
    );
  });

  it('says what would have been decided, and where that differs', () => {
    const past = [0.5, 0.75, 0.9].map((ratio) => {
      const seen = snapshot({ cpu: ratio, memory: 0.9 });
      return { snapshot: seen, decision: decide(seen, settings(), NOW_MS) };
    });
    const replayed = replay(past, settings({ CPU_THRESHOLD: '0.7' }));
    assert.deepEqual(
      replayed.map(({ was, would, differs }) => [was.kind, would.kind, differs]),
      [
        ['hold', 'hold', false],
        ['hold', 'up', true],
        ['up', 'up', false],
      ],
    );
  });
});

describe('autoscaler: record of decisions', () => {
  const of = (seen: ReturnType<typeof snapshot>, atMs = NOW_MS): Decision =>
    decide(seen, settings(), atMs);
  const busy = snapshot({ cpu: 0.5 });

  it('keeps what does something, what is new, and one every interval', () => {
    const last = of(busy);
    assert.ok(isWorthRecording(undefined, last, 1000));
    assert.ok(!isWorthRecording(last, of(busy, NOW_MS + 999), 1000));
    assert.ok(isWorthRecording(last, of(busy, NOW_MS + 1000), 1000));
    assert.ok(isWorthRecording(last, of(snapshot()), 1000));
    assert.ok(isWorthRecording(last, of(snapshot({ workers: [1, 2], cpu: 0.5 })), 1000));
  });

  const recorderOf = (add: (record: DecisionRecord) => Promise<void>) => {
    const failures: string[] = [];
    const failed = (why: string) => void failures.push(why);
    return {
      failures,
      recorder: new DecisionRecorder({ decisions: { add }, intervalMs: 1000, failed }),
    };
  };

  it('has the cluster as it was, however it changes afterwards', async () => {
    const records: DecisionRecord[] = [];
    const { recorder, failures } = recorderOf(async (record) => void records.push(record));
    const pending = [waiting()];
    const seen = snapshot({ pending });
    const decision = of(seen);
    recorder.note(decision, seen);
    pending.pop();
    await recorder.settled();
    const [record] = records;
    assert.ok(record);
    assert.deepEqual(of(await unpackSnapshot(record.snapshot)), decision);
    assert.deepEqual(failures, []);
  });

  it('writes one at a time, tells what fails, and goes on', async () => {
    let calls = 0;
    const { recorder, failures } = recorderOf(() => {
      calls += 1;
      return Promise.reject(new Error('MongoDB is away'));
    });
    recorder.note(of(busy), busy);
    recorder.note(of(busy, NOW_MS + 5000), busy);
    await recorder.settled();
    assert.equal(calls, 1);
    recorder.note(of(busy, NOW_MS + 9000), busy);
    await recorder.settled();
    assert.deepEqual([calls, failures.length], [2, 2]);
  });

  it('leaves out a cluster that is too large to write down between two decisions', async () => {
    const { recorder, failures } = recorderOf(() => assert.fail('nothing is written'));
    const pending = Array.from({ length: 5001 }, () => waiting());
    const seen = snapshot({ cpu: 0.5 });
    recorder.note(of(seen), { ...seen, pending });
    await recorder.settled();
    assert.match(failures.join(), /too many/);
  });
});

describe('autoscaler: rules', () => {
  it('say what the settings do', () => {
    const rules = rulesOf(settings({ CPU_THRESHOLD: '0.75', MAX_NODES: '9' }));
    assert.deepEqual(
      rules.map(({ name, action }) => [name, action]),
      [
        ['minimum', 'scale_up'],
        ['pending', 'scale_up'],
        ['usage', 'scale_up'],
        ['idle', 'scale_down'],
      ],
    );
    assert.match(rules[2]?.condition ?? '', /CPU >= 75 % and memory >= 80 %, workers < 9/);
  });
});
