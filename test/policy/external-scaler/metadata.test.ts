import assert from 'node:assert/strict';
import { MetadataError, parseMetadata } from '../../../runtime/external-scaler/policy/metadata';

const DEFAULTS = {
  metricName: 'available_node_count_30s',
  cpuThreshold: 0.7,
  mode: 'continuous',
} as const;

describe('trigger metadata', () => {
  it('take what they do not say from the settings', () => {
    assert.deepEqual(parseMetadata({ scalerAddress: 'somewhere:8080' }, DEFAULTS), {
      metricName: 'available_node_count_30s',
      demand: { thresholdRatio: 0.7, slot: null, mode: 'continuous' },
    });
  });

  it('override metric, threshold, slot and mode', () => {
    const metadata = { metricName: 'mine', threshold: '0.5', slot: '10', mode: 'once' };
    assert.deepEqual(parseMetadata(metadata, DEFAULTS), {
      metricName: 'mine',
      demand: { thresholdRatio: 0.5, slot: 10, mode: 'once' },
    });
  });

  const bad: readonly [Record<string, string>, RegExp][] = [
    [{ threshold: '70' }, /threshold "70": must be a number from 0\.05 to 1/],
    [{ threshold: '0.7 ' }, /threshold "0\.7 "/],
    [{ threshold: '' }, /threshold ""/],
    [{ threshold: '0.04' }, /threshold "0\.04"/],
    [{ slot: '0' }, /slot "0": must be a whole number from 1 to 10/],
    [{ slot: '11' }, /slot "11"/],
    [{ slot: '1.5' }, /slot "1\.5"/],
    [{ slot: 'slot-1' }, /slot "slot-1"/],
    [{ mode: 'twice' }, /mode "twice": must be continuous or once/],
    [{ metricName: 'a b' }, /metricName "a b"/],
    [{ treshold: '0.7' }, /treshold: no such key, use metricName, threshold, slot, mode/],
    [{ constructor: 'x' }, /constructor: no such key/],
  ];
  for (const [metadata, message] of bad) {
    it(`name key and range: ${JSON.stringify(metadata)}`, () => {
      assert.throws(() => parseMetadata(metadata, DEFAULTS), message);
    });
  }

  it('name everything that is wrong at once', () => {
    assert.throws(
      () => parseMetadata({ slot: '11', threshold: 'x', mod: 'once' }, DEFAULTS),
      (error: unknown) => error instanceof MetadataError && error.problems.length === 3,
    );
  });
});
