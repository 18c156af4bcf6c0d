import assert from 'node:assert/strict';
import fc from 'fast-check';
import { RevisionClock } from '../../../runtime/experiment/policy/revision-clock';

describe('the clock of revisions', () => {
  it('puts a change between the last question before it and the first answer after it', () => {
    const clock = new RevisionClock();
    clock.add(10, 0, 5);
    clock.add(10, 25, 30);
    clock.add(12, 50, 90);
    clock.add(12, 115, 120);
    clock.add(15, 140, 150);
    assert.deepEqual(clock.boundsOf(11), { notBeforeMs: 25, notAfterMs: 90 });
    assert.deepEqual(clock.boundsOf(12), { notBeforeMs: 25, notAfterMs: 90 });
    assert.deepEqual(clock.boundsOf(13), { notBeforeMs: 115, notAfterMs: 150 });
  });

  it('does not know what was before its first question, nor what came after its last', () => {
    const clock = new RevisionClock();
    assert.equal(clock.boundsOf(1), null);
    clock.add(10, 0, 5);
    assert.equal(clock.boundsOf(10), null);
    assert.equal(clock.boundsOf(11), null);
  });

  it('forgets what it knew when the store counts anew', () => {
    const clock = new RevisionClock();
    clock.add(10, 0, 5);
    clock.add(12, 10, 15);
    clock.add(3, 20, 25);
    assert.equal(clock.boundsOf(11), null);
    clock.add(4, 30, 35);
    assert.deepEqual(clock.boundsOf(4), { notBeforeMs: 20, notAfterMs: 35 });
  });

  it('never excludes when a change was stored, however late questions and answers are', () => {
    const gaps = fc.array(fc.nat({ max: 40 }), { minLength: 1, maxLength: 60 });
    const questions = fc.array(
      // Rest before it, way to the store, way back.
      fc.tuple(fc.nat({ max: 60 }), fc.nat({ max: 60 }), fc.nat({ max: 60 })),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(gaps, questions, (changes, asked) => {
        let storedMs = 0;
        const stored = changes.map((gap) => (storedMs += gap));
        const clock = new RevisionClock();
        const answers: [number, number, number][] = [];
        let atMs = 0;
        for (const [rest, there, back] of asked) {
          const sentMs = atMs + rest;
          const read = sentMs + there;
          atMs = read + back;
          // The revision of a change is its number, from 1.
          const revision = stored.filter((ms) => ms <= read).length;
          clock.add(revision, sentMs, atMs);
          answers.push([revision, sentMs, atMs]);
        }
        for (const [index, ms] of stored.entries()) {
          const bounds = clock.boundsOf(index + 1);
          const before = answers.filter(([revision]) => revision <= index);
          const after = answers.filter(([revision]) => revision > index);
          if (before.length === 0 || after.length === 0) assert.equal(bounds, null);
          else {
            assert.ok(bounds !== null && bounds.notBeforeMs <= ms && ms <= bounds.notAfterMs);
            // Nor are they wider than the questions allow.
            assert.equal(bounds.notBeforeMs, before.at(-1)?.[1]);
            assert.equal(bounds.notAfterMs, after[0]?.[2]);
          }
        }
      }),
      { seed: 42, numRuns: 300 },
    );
  });
});
