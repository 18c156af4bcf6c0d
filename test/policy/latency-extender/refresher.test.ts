import assert from 'node:assert/strict';
import { MemoryProbers, MemoryTraffic } from '../../../runtime/latency-extender/adapters/memory';
import { Refresher } from '../../../runtime/latency-extender/loop/refresher';
import { PrometheusError } from '../../../runtime/shared/prometheus';
import { extender, log, metrics, NOW_MS, scores, SETTINGS } from './support';

const MINUTE = 60_000;

function started(more: Partial<typeof SETTINGS> = {}) {
  const [traffic, probers] = [new MemoryTraffic(), new MemoryProbers()];
  const clock = {
    ms: NOW_MS,
    nowMs() {
      return this.ms;
    },
    monotonicMs() {
      return this.ms;
    },
    async sleep() {},
  };
  for (const node of ['a', 'b', 'c']) {
    probers.probers.set(node, node);
    const others = ['a', 'b', 'c'].filter((other) => other !== node);
    probers.answers.set(node, scores(node, 0.2, Object.fromEntries(others.map((one) => [one, 8]))));
  }
  const { table, placements } = extender([]);
  const sources = { traffic, directory: probers, source: probers };
  const refresher = new Refresher(
    sources,
    table,
    placements,
    { ...SETTINGS, ...more },
    clock,
    log,
    metrics(),
  );
  const rules = () => Object.fromEntries(table.views.map(({ node, rule }) => [node, rule]));
  return { clock, probers, refresher, rules, table, traffic };
}

describe('latency-extender: refreshing', () => {
  it('counts latency to the node that Prometheus names', async () => {
    const { refresher, table, traffic } = started();
    traffic.node = { node: 'b', requestsPerSecond: 12 };
    assert.equal(refresher.ready, false);
    await refresher.round();
    assert.equal(refresher.ready, true);
    assert.equal(table.target.node, 'b');
    assert.deepEqual(
      table.views.map(({ node, latencyMs }) => [node, latencyMs]),
      [
        ['a', 8],
        ['b', 0],
        ['c', 8],
      ],
    );
  });

  it('is ready with its first target, or when it has waited long enough for one', async () => {
    const { clock, refresher } = started({ firstTargetWaitMs: MINUTE });
    await refresher.round();
    assert.equal(refresher.ready, false);
    clock.ms += MINUTE - 1;
    assert.equal(refresher.ready, false);
    clock.ms += 1;
    assert.equal(refresher.ready, true);
    const { refresher: other, traffic: known } = started({ firstTargetWaitMs: MINUTE });
    known.node = { node: 'b', requestsPerSecond: 12 };
    await other.round();
    assert.equal(other.ready, true);
    known.node = undefined;
    await other.round();
    assert.equal(other.ready, true);
  });

  it('asks the probers to measure to the busiest node from the next round on', async () => {
    const { probers, refresher, traffic } = started();
    traffic.node = { node: 'b', requestsPerSecond: 12 };
    await refresher.round();
    assert.deepEqual(probers.focuses, [undefined, undefined, undefined]);
    await refresher.round();
    assert.deepEqual(probers.focuses.slice(3), ['b', 'b', 'b']);
  });

  it('keeps a node in while its last answer is fresh, then out, then in again', async () => {
    const { clock, probers, refresher, rules } = started();
    const answer = probers.answers.get('c');
    await refresher.round();
    probers.answers.delete('c');
    clock.ms += SETTINGS.probeMaxAgeMs;
    await refresher.round();
    assert.deepEqual(rules(), { a: undefined, b: undefined, c: undefined });
    clock.ms += 1;
    refresher.rebuild();
    assert.deepEqual(rules(), { a: undefined, b: undefined, c: 'no-fresh-probe' });
    if (answer !== undefined) probers.answers.set('c', answer);
    await refresher.round();
    assert.deepEqual(rules(), { a: undefined, b: undefined, c: undefined });
  });

  it('keeps no other node out when the prober of the busiest is dead', async () => {
    const { clock, probers, refresher, rules, table, traffic } = started();
    traffic.node = { node: 'b', requestsPerSecond: 12 };
    await refresher.round();
    clock.ms += SETTINGS.probeMaxAgeMs + 1;
    probers.answers.clear();
    probers.answers.set('a', scores('a', 0.2, { c: 8 }));
    probers.answers.set('c', scores('c', 0.2, { a: 8 }));
    await refresher.round();
    assert.deepEqual(rules(), { a: undefined, b: 'no-fresh-probe', c: undefined });
    assert.equal(table.target.node, undefined);
    assert.equal(table.view('a')?.latencyBasis, 'median');
  });

  it('keeps the busiest node for a while when Prometheus fails, then does without, and says why', async () => {
    const { clock, refresher, table, traffic } = started();
    traffic.node = { node: 'b', requestsPerSecond: 12 };
    await refresher.round();
    traffic.failure = new PrometheusError('timeout', 'no answer within 5000 ms');
    clock.ms += 10_000;
    await refresher.round();
    assert.equal(table.target.node, 'b');
    clock.ms += 2 * MINUTE;
    await refresher.round();
    assert.equal(table.target.node, undefined);
    assert.match(table.target.why, /Prometheus timeout: no answer within 5000 ms/);
    traffic.failure = undefined;
    traffic.node = undefined;
    await refresher.round();
    assert.equal(table.target.why, 'no node has traffic');
  });

  it('asks for the busiest node less often than the probers, but at once while it is not known', async () => {
    const { clock, refresher, traffic } = started({ trafficIntervalMs: MINUTE / 2 });
    const busiest = traffic.busiest.bind(traffic);
    let asked = 0;
    traffic.busiest = () => {
      asked += 1;
      return busiest();
    };
    const round = async (): Promise<void> => {
      await refresher.round();
      clock.ms += SETTINGS.refreshIntervalMs;
    };
    for (let rounds = 0; rounds < 3; rounds += 1) await round();
    assert.equal(asked, 3);
    traffic.node = { node: 'b', requestsPerSecond: 12 };
    for (let rounds = 0; rounds < 6; rounds += 1) await round();
    assert.equal(asked, 5);
    traffic.failure = new PrometheusError('timeout', 'no answer');
    for (let rounds = 0; rounds < 3; rounds += 1) await round();
    assert.equal(asked, 8);
  });

  it('does not believe a prober that says it is on another node', async () => {
    const { probers, refresher, table } = started();
    probers.answers.set('c', scores('a', 0.01, { b: 1 }));
    await refresher.round();
    assert.equal(table.view('c')?.rule, 'no-fresh-probe');
    assert.match(table.view('c')?.failure ?? '', /says that it is on a/);
  });

  it('lets a node go whose prober left, once what it said is not fresh', async () => {
    const { clock, probers, refresher, rules } = started();
    await refresher.round();
    probers.probers.delete('c');
    refresher.rebuild();
    assert.deepEqual(Object.keys(rules()), ['a', 'b', 'c']);
    clock.ms += SETTINGS.probeMaxAgeMs + 1;
    refresher.rebuild();
    assert.deepEqual(Object.keys(rules()), ['a', 'b']);
  });
});
