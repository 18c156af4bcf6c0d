import assert from 'node:assert/strict';
import {
  parseQuantity,
  quantityToMillis,
  quantityToUnits,
  QuantityError,
} from '../../../runtime/shared/quantity';
import { seenAt } from '../../../runtime/shared/freshness';

describe('quantities of Kubernetes', () => {
  const rows: readonly [string | number, number][] = [
    ['1', 1],
    [2, 2],
    ['100m', 0.1],
    ['1.5', 1.5],
    ['.5', 0.5],
    ['1k', 1000],
    ['1Ki', 1024],
    ['1.5Gi', 1.5 * 2 ** 30],
    ['2e3', 2000],
    ['2E3', 2000],
    ['1E', 1e18],
    ['-1', -1],
  ];
  for (const [text, value] of rows) {
    it(`${text} is ${value}`, () => assert.equal(parseQuantity(text), value));
  }
  for (const text of ['', 'x', '1 Gi', '1gi', '1Kim', '--1', '1e', 'NaN', '0x1']) {
    it(`${JSON.stringify(text)} is none`, () =>
      assert.throws(() => parseQuantity(text), QuantityError));
  }
  it('is rounded up as Kubernetes does, and not by the error of binary fractions', () => {
    assert.deepEqual(
      ['0.1', '100m', '1.1', '0.0001', '1u'].map(quantityToMillis),
      [100, 100, 1100, 1, 1],
    );
    assert.deepEqual(['1500m', '1Gi', '0.5'].map(quantityToUnits), [2, 2 ** 30, 1]);
  });
});

describe('freshness of readings', () => {
  const reading = { state: 'known', value: 0, takenAtMs: 1000 } as const;
  it('a reading is fresh up to its greatest age, then stale, and carries no value then', () => {
    assert.deepEqual(seenAt(reading, 1500, 500), { state: 'fresh', value: 0, ageMs: 500 });
    assert.deepEqual(seenAt(reading, 1501, 500), { state: 'stale', ageMs: 501 });
  });
  it('one from the future is new', () => {
    assert.deepEqual(seenAt(reading, 0, 500), { state: 'fresh', value: 0, ageMs: 0 });
  });
  it('none is unknown at any time', () => {
    const none = { state: 'unknown', why: 'never read' } as const;
    assert.deepEqual(seenAt(none, 5, 500), none);
  });
});
