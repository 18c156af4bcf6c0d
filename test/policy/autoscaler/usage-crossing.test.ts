import assert from 'node:assert/strict';
import { UsageCrossing } from '../../../runtime/autoscaler/state/usage-crossing';
import type { WorkerView } from '../../../runtime/autoscaler/types';
import { NOW_MS, settings, snapshot } from './support';

describe('autoscaler: use that comes to its thresholds', () => {
  let told: number;
  let nodes: Iterable<WorkerView>;
  let crossing: UsageCrossing;
  const read = (cpu: number | null, memory: number | null): number => {
    nodes = snapshot({ workers: [1, 2], cpu, memory }).nodes.values();
    crossing.read();
    return told;
  };

  beforeEach(() => {
    told = 0;
    crossing = new UsageCrossing({
      settings: settings({ CPU_THRESHOLD: '0.8', MEMORY_THRESHOLD: '0.7' }),
      nodes: () => nodes,
      nowMs: () => NOW_MS,
      onHigh: () => (told += 1),
    });
  });

  it('is told when both are reached, not when one is', () => {
    assert.equal(read(0.9, 0.69), 0);
    assert.equal(read(0.79, 0.9), 0);
    assert.equal(read(0.8, 0.7), 1);
  });

  it('is told once, and again after it was low', () => {
    assert.equal(read(0.9, 0.9), 1);
    assert.equal(read(1, 1), 1);
    assert.equal(read(0.9, 0.5), 1);
    assert.equal(read(0.9, 0.9), 2);
  });

  it('is not told of what is unknown, nor where there is no worker', () => {
    assert.equal(read(null, 0.9), 0);
    nodes = [];
    crossing.read();
    assert.equal(told, 0);
  });
});
