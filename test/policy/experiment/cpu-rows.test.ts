import assert from 'node:assert/strict';
import { cpuRowsOf } from '../../../runtime/experiment/policy/cpu-rows';

const nodes = ['node-1', 'node-2'].map((name, index) => ({
  name,
  internalIps: [`10.0.0.${index + 1}`],
  hostnames: [],
}));
const span = { fromMs: 100_000, toMs: 110_000, stepMs: 5000 };
const matrix = (...result: { metric: object; values: [number, string][] }[]) => ({
  status: 'success',
  data: { resultType: 'matrix', result },
});
const ratios = (answer: unknown) =>
  cpuRowsOf(answer, nodes, span).map(({ atMs, node, cpuRatio }) => [atMs, node, cpuRatio]);

describe('the CPU of nodes over time', () => {
  it('has each node at each step, found by its name or its address', () => {
    const answer = matrix(
      {
        metric: { node: 'node-1' },
        values: [
          [100, '0.25'],
          [105, '0.5'],
          [110, '0.75'],
        ],
      },
      {
        metric: { instance: '10.0.0.2:9100' },
        values: [
          [100, '0.1'],
          [105, '0.2'],
          [110, '0.3'],
        ],
      },
    );
    assert.deepEqual(ratios(answer), [
      [100_000, 'node-1', 0.25],
      [100_000, 'node-2', 0.1],
      [105_000, 'node-1', 0.5],
      [105_000, 'node-2', 0.2],
      [110_000, 'node-1', 0.75],
      [110_000, 'node-2', 0.3],
    ]);
  });

  it('does not take what is unknown for nothing', () => {
    const answer = matrix({
      metric: { node: 'node-1' },
      values: [
        [105, 'NaN'],
        [110, '0.5'],
      ],
    });
    assert.deepEqual(
      ratios(answer).map(([, , ratio]) => ratio),
      [null, null, null, null, 0.5, null],
    );
  });

  it('holds rates that pass their bounds by a little within them', () => {
    const answer = matrix({
      metric: { node: 'node-1' },
      values: [
        [100, '1.04'],
        [105, '-0.01'],
      ],
    });
    assert.deepEqual(
      ratios(answer)
        .filter(([, node]) => node === 'node-1')
        .map(([, , ratio]) => ratio),
      [1, 0, null],
    );
  });

  it('is refused where Prometheus gives something else', () => {
    const error = { status: 'error', error: 'too many steps' };
    assert.throws(() => ratios(error), /too many steps/);
    assert.throws(() => ratios(undefined), /gave no range/);
  });
});
