import assert from 'node:assert/strict';
import { pino } from 'pino';
import { NodeCpuReadings, type ReadOutcome } from '../../../runtime/node-availability/cpu-readings';
import { observedNode } from '../../../runtime/node-availability/observed-node';
import type { Node } from '../../../runtime/shared/kubernetes/types';
import { MemoryCpu } from '../../../runtime/shared/node-cpu/memory-cpu';
import { PrometheusError } from '../../../runtime/shared/prometheus';
import { FakeClock } from '../analyzer/fake-clock';
import { observed } from './support';

function setUp(settleMs?: number) {
  const clock = new FakeClock();
  const source = new MemoryCpu();
  const outcomes: ReadOutcome[] = [];
  let nodes = [observed('n1'), observed('n2')];
  const readings = new NodeCpuReadings(
    source,
    {
      ...{ intervalMs: 10_000, nodes: () => nodes },
      onRead: (outcome) => outcomes.push(outcome),
      ...(settleMs === undefined ? {} : { settleMs }),
    },
    clock,
    pino({ level: 'silent' }),
  );
  const show = (ratios: Readonly<Record<string, number>>): void => {
    source.readings = Object.entries(ratios).map(([node, cpuRatio]) => ({
      node,
      instance: '',
      reading: { cpuRatio, takenAtMs: clock.nowMs() },
    }));
  };
  const setNodes = (...names: string[]) => (nodes = names.map((name) => observed(name)));
  return { clock, source, outcomes, readings, show, setNodes };
}

describe('CPU readings of nodes', () => {
  it('knows nothing before the first look, and says so', () => {
    const { readings } = setUp();
    assert.deepEqual(readings.reading('n1'), { state: 'unknown', why: 'CPU was not read yet' });
  });

  it('looks shortly after each scrape where it is told how long those take to be known', async () => {
    const { clock, source, readings } = setUp(150);
    const startMs = clock.nowMs();
    const looks: number[] = [];
    source.read = async () => {
      const sinceMs = clock.nowMs() - startMs;
      looks.push(sinceMs);
      // Scraped at 3 s, 13 s, 23 s and so on.
      const takenAtMs = startMs + Math.floor((sinceMs - 3000) / 10_000) * 10_000 + 3000;
      const byNode = new Map([['n1', { cpuRatio: 0.5, takenAtMs }]]);
      return { byNode, unmapped: [], invalid: [] };
    };
    const end = new AbortController();
    const running = readings.run(end.signal);
    await clock.advance(45_000);
    end.abort();
    await running;
    assert.deepEqual(looks, [0, 13_150, 23_150, 33_150, 43_150]);
  });

  it('keeps the last good readings, with their own time, while Prometheus fails', async () => {
    const { clock, source, outcomes, readings, show } = setUp();
    const end = new AbortController();
    show({ n1: 0.25 });
    const takenAtMs = clock.nowMs();
    const running = readings.run(end.signal);
    await clock.advance(1);
    assert.deepEqual(readings.reading('n1'), { state: 'known', value: 0.25, takenAtMs });
    source.failure = new PrometheusError('timeout', 'no answer within 5 ms');
    await clock.advance(25_000);
    assert.deepEqual(readings.reading('n1'), { state: 'known', value: 0.25, takenAtMs });
    assert.deepEqual(outcomes, ['ok', 'timeout', 'timeout']);
    assert.equal(readings.problem, 'timeout: no answer within 5 ms');
    assert.deepEqual(readings.reading('n2'), { state: 'unknown', why: readings.problem });
    source.failure = undefined;
    show({ n1: 0.5, n2: 0.75 });
    await clock.advance(10_000);
    assert.equal(readings.problem, undefined);
    assert.deepEqual(
      ['n1', 'n2'].map((name) => readings.reading(name)).map((one) => 'value' in one && one.value),
      [0.5, 0.75],
    );
    end.abort();
    await running;
  });

  it('leaves a node that the answer does not show as it was, and forgets one that is gone', async () => {
    const { readings, show, setNodes, outcomes } = setUp();
    show({ n1: 0.1, n2: 0.2 });
    await readings.once();
    show({ n1: 0.3 });
    await readings.once();
    assert.equal(readings.reading('n2').state, 'known');
    setNodes('n1');
    await readings.once();
    setNodes('n1', 'n2');
    assert.equal(readings.reading('n2').state, 'unknown');
    show({});
    await readings.once();
    assert.deepEqual(outcomes, ['ok', 'ok', 'ok', 'empty']);
    assert.match(readings.problem ?? '', /no reading of any node/);
  });

  it('keeps instances that belong to no node apart', async () => {
    const { readings, show } = setUp();
    show({ n1: 0.1, stranger: 0.2 });
    await readings.once();
    assert.deepEqual(readings.unmapped, ['stranger']);
    assert.equal(readings.reading('stranger').state, 'unknown');
  });
});

describe('observed node', () => {
  const raw = (status: string, metadata: object = {}): Node => ({
    metadata: { name: 'n', uid: 'u', labels: { 'kubernetes.io/hostname': 'h' }, ...metadata },
    spec: { unschedulable: true, taints: [{ key: 'k', effect: 'NoSchedule' }] },
    status: {
      conditions: [{ type: 'Ready', status }],
      addresses: [
        { type: 'InternalIP', address: '10.0.0.1' },
        { type: 'Hostname', address: 'host' },
      ],
    },
  });

  it('takes from the object what the rules and the CPU readings need', () => {
    assert.deepEqual(observedNode(raw('True')), {
      name: 'n',
      labels: { 'kubernetes.io/hostname': 'h' },
      ready: true,
      unschedulable: true,
      taints: [{ key: 'k', effect: 'NoSchedule' }],
      internalIps: ['10.0.0.1'],
      hostnames: ['host', 'h'],
    });
  });

  it('is not ready while its condition is False, Unknown or absent, or while it is being deleted', () => {
    for (const status of ['False', 'Unknown']) assert.equal(observedNode(raw(status)).ready, false);
    assert.equal(observedNode({ metadata: { name: 'n', uid: 'u' } }).ready, false);
    const leaving = raw('True', { deletionTimestamp: '2026-01-01T00:00:00Z' });
    assert.equal(observedNode(leaving).ready, false);
  });
});
