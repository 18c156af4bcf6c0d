import assert from 'node:assert/strict';
import { Placements } from '../../../runtime/latency-extender/loop/placements';
import { askedPod, NOW_MS, SETTINGS } from './support';

const CORES = 2;
const SECOND = 1000;

describe('latency-extender: pods placed moments ago', () => {
  const make = () => new Placements(SETTINGS);
  const ratio = (placements: Placements, node: string, takenAtMs = NOW_MS) =>
    placements.cpuRatio(node, takenAtMs, CORES);
  const bound = (name: string, node: string, boundAtMs = NOW_MS) => ({
    ...askedPod(name, 500),
    node,
    boundAtMs,
  });

  it('count by their request, or by the default, against the processors of the node', () => {
    const placements = make();
    placements.assume(askedPod('one', 500), 'a', NOW_MS);
    placements.assume(askedPod('two'), 'a', NOW_MS);
    assert.ok(Math.abs(ratio(placements, 'a') - (0.5 + 0.1) / CORES) < 1e-12);
    assert.equal(ratio(placements, 'b'), 0);
  });

  it('count once, and where they were bound rather than where they were rated best', () => {
    const placements = make();
    placements.assume(askedPod('one', 500), 'a', NOW_MS);
    placements.bound(bound('one', 'b'), NOW_MS + SECOND);
    placements.bound(bound('one', 'b'), NOW_MS + 2 * SECOND);
    assert.deepEqual([ratio(placements, 'a'), ratio(placements, 'b')], [0, 0.25]);
    assert.equal(placements.size, 1);
  });

  it('count until a reading was taken late enough to show them', () => {
    const placements = make();
    placements.bound(bound('one', 'a'), NOW_MS);
    const settled = NOW_MS + SETTINGS.placementSettleMs;
    assert.equal(ratio(placements, 'a', settled - 1), 0.25);
    assert.equal(ratio(placements, 'a', settled), 0);
  });

  it('do not count once they are gone', () => {
    const placements = make();
    placements.bound(bound('one', 'a'), NOW_MS);
    placements.gone('uid-one');
    placements.gone('uid-one');
    assert.equal(ratio(placements, 'a'), 0);
    assert.equal(placements.size, 0);
  });

  it('are forgotten when nobody saw them bound, and when every fresh reading shows them', () => {
    const placements = make();
    placements.assume(askedPod('lost', 500), 'a', NOW_MS);
    placements.bound(bound('seen', 'b'), NOW_MS);
    placements.prune(NOW_MS + SETTINGS.assumeTtlMs + 1);
    assert.deepEqual([ratio(placements, 'a'), ratio(placements, 'b')], [0, 0.25]);
    placements.prune(NOW_MS + SETTINGS.placementSettleMs + SETTINGS.probeMaxAgeMs + 1);
    assert.equal(placements.size, 0);
  });

  it('of long ago, as listed at a start, do not count', () => {
    const placements = make();
    placements.bound(bound('old', 'a', NOW_MS - 10 * 60 * SECOND), NOW_MS);
    placements.bound(bound('recent', 'a', NOW_MS - 10 * SECOND), NOW_MS);
    assert.equal(placements.size, 1);
    assert.equal(ratio(placements, 'a'), 0.25);
  });

  it('tell of each node that they change', () => {
    const changed: string[] = [];
    const placements = new Placements(SETTINGS, (node) => changed.push(node));
    placements.assume(askedPod('one', 500), 'a', NOW_MS);
    placements.bound(bound('one', 'b'), NOW_MS);
    placements.gone('uid-one');
    assert.deepEqual(changed, ['a', 'a', 'b', 'b']);
  });
});
