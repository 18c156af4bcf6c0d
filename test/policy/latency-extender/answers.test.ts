import assert from 'node:assert/strict';
import fc from 'fast-check';
import { explain } from '../../../runtime/latency-extender/loop/explanation';
import { parseExtenderArgs } from '../../../runtime/latency-extender/wire/extender-args';
import {
  askedPod,
  byNames,
  cluster,
  extender,
  NOW_MS,
  parseFilter,
  parsePriorities,
  probed,
  scores,
} from './support';

const FOUR = cluster({ near: [0.2, 5], far: [0.1, 60], warm: [0.75, 5], hot: [0.9, 5] });
const ALL = ['near', 'far', 'warm', 'hot', 'busy', 'stranger'];

describe('latency-extender: /filter', () => {
  it('passes what is in, and says of each other node why not', () => {
    const { answers } = extender(FOUR);
    assert.deepEqual(parseFilter(answers.filter(byNames(ALL), NOW_MS)), {
      NodeNames: ['near', 'warm'],
      FailedNodes: {
        far: 'latency 0.600 (60.0 ms) to busy is over 0.5',
        hot: 'CPU 0.900 is over 0.85',
        busy: 'CPU 0.990 is over 0.85',
        stranger: 'no fresh probe: no prober is known on this node',
      },
      Error: '',
    });
  });

  it('answers nodes in full, as they came, where they came in full', () => {
    const { answers } = extender(FOUR);
    const items = ALL.map((name) => ({ metadata: { name, labels: { of: name } }, status: {} }));
    const text = JSON.stringify({
      Pod: { metadata: { name: 'pod', namespace: 'default', uid: '1' } },
      Nodes: { metadata: {}, items },
      NodeNames: null,
    });
    const result = parseFilter(answers.filter(parseExtenderArgs(text), NOW_MS));
    assert.equal(result.NodeNames, undefined);
    assert.deepEqual(result.Nodes, { metadata: {}, items: [items[0], items[2]] });
    assert.deepEqual(Object.keys(result.FailedNodes).sort(), ['busy', 'far', 'hot', 'stranger']);
  });

  it('says the same reason once readings have changed only if it still holds', () => {
    const { answers, rebuild } = extender(FOUR);
    const reason = () => parseFilter(answers.filter(byNames(['hot']), NOW_MS)).FailedNodes['hot'];
    assert.match(reason() ?? '', /0.900/);
    rebuild(cluster({ hot: [0.95, 5], near: [0.1, 5] }));
    assert.match(reason() ?? '', /0.950/);
    rebuild(cluster({ hot: [0.5, 5], near: [0.1, 5] }));
    assert.equal(reason(), undefined);
  });
});

describe('latency-extender: /prioritize', () => {
  it('ranks by the formula', () => {
    const { answers } = extender(FOUR);
    const { near, warm, ...others } = parsePriorities(answers.prioritize(byNames(ALL), NOW_MS));
    // 0.8 * 0.3 + 0.95 * 0.7 = 0.905, and 0.25 * 0.3 + 0.95 * 0.7 - 0.15 = 0.59
    assert.deepEqual([near, warm], [9, 6]);
    for (const [node, score] of Object.entries(others)) assert.equal(score, 0, node);
  });

  it('counts a pod on the best node at once, so that a burst does not pile up there', () => {
    const { answers } = extender(cluster({ a: [0.2, 5], b: [0.2, 5], c: [0.2, 5] }));
    const chosen = Array.from({ length: 9 }, (_, index) => {
      const args = byNames(['a', 'b', 'c'], askedPod(`pod-${index}`, 100));
      const ranked = Object.entries(parsePriorities(answers.prioritize(args, NOW_MS)));
      return ranked.sort(([, one], [, other]) => other - one)[0]?.[0];
    });
    assert.deepEqual(chosen, ['a', 'b', 'c', 'a', 'b', 'c', 'a', 'b', 'c']);
  });

  it('names the best only, where there are many', () => {
    const nodes = Object.fromEntries(
      Array.from({ length: 40 }, (_, index) => [`n${index}`, [0.01 * index, 5] as const]),
    );
    const { answers } = extender(cluster(nodes), { prioritizeMaxHosts: 5 });
    const priorities = parsePriorities(answers.prioritize(byNames(Object.keys(nodes)), NOW_MS));
    assert.ok(priorities['n0'] !== undefined);
    assert.ok(Object.keys(priorities).length <= 5);
    assert.ok(Object.values(priorities).every((score) => score <= (priorities['n0'] ?? 0)));
  });
});

describe('latency-extender: no node that was not asked for', () => {
  const name = fc.constantFrom(
    'near',
    'far',
    'warm',
    'hot',
    'busy',
    'stranger',
    '__proto__',
    'ü"\\',
  );
  it('is in any answer, and each that was asked for is in /filter exactly once', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(name),
        fc.constantFrom('open' as const, 'closed' as const),
        fc.boolean(),
        (names, nothingFresh, fresh) => {
          const { answers } = extender(fresh ? FOUR : [], { nothingFresh });
          const filtered = parseFilter(answers.filter(byNames(names), NOW_MS));
          const answered = [...(filtered.NodeNames ?? []), ...Object.keys(filtered.FailedNodes)];
          assert.deepEqual(answered.sort(), [...names].sort());
          const priorities = JSON.parse(answers.prioritize(byNames(names), NOW_MS)) as {
            Host: string;
            Score: number;
          }[];
          for (const { Host, Score } of priorities) {
            assert.ok((names as readonly string[]).includes(Host));
            assert.ok(Number.isInteger(Score) && Score >= 0 && Score <= 10);
          }
        },
      ),
      { seed: 42, numRuns: 200 },
    );
  });
});

describe('latency-extender: when nothing is fresh', () => {
  const STALE = FOUR.map(({ reading, ...node }) => ({
    ...node,
    reading: reading && { ...reading, receivedAtMs: NOW_MS - 30_001 },
  }));

  it('open: passes all with an equal score, and tells', () => {
    const { answers, notices } = extender(STALE, { nothingFresh: 'open' });
    const filtered = parseFilter(answers.filter(byNames(ALL), NOW_MS));
    assert.deepEqual([filtered.NodeNames, filtered.FailedNodes], [ALL, {}]);
    const priorities = parsePriorities(answers.prioritize(byNames(ALL), NOW_MS));
    assert.deepEqual(Object.keys(priorities).sort(), [...ALL].sort());
    assert.equal(new Set(Object.values(priorities)).size, 1);
    assert.deepEqual(notices.unknown, ['default/pod']);
  });

  it('closed: passes none, and says why', () => {
    const { answers, notices } = extender(STALE, { nothingFresh: 'closed' });
    const filtered = parseFilter(answers.filter(byNames(ALL), NOW_MS));
    assert.deepEqual(filtered.NodeNames, []);
    for (const node of ALL)
      assert.match(filtered.FailedNodes[node] ?? '', /no fresh probe of any node/);
    assert.deepEqual(notices.unknown, []);
  });

  it('is about the whole cluster: one fresh node elsewhere keeps the stale ones out', () => {
    const { answers, notices } = extender([...STALE, probed(scores('fresh', 0.1, { busy: 1 }))]);
    const filtered = parseFilter(answers.filter(byNames(['near', 'far']), NOW_MS));
    assert.deepEqual(filtered.NodeNames, []);
    assert.match(filtered.FailedNodes['near'] ?? '', /the last is 30.0 s old/);
    assert.deepEqual(notices.unknown, []);
  });
});

describe('latency-extender: /explain', () => {
  interface Shown {
    readonly node: string;
    readonly score: number | null;
    readonly extenderScore?: number;
    readonly why?: string;
  }
  interface Explanation {
    readonly boundTo: string | null;
    readonly target: { readonly node: string };
    readonly filter: { asked: number; passed: number; rejected: object; nodes: Shown[] };
    readonly prioritize: { readonly best: string; readonly nodes: Shown[] };
  }

  it('tells what was answered, from which readings, and where the pod went', () => {
    const { answers, history } = extender(FOUR);
    const pod = askedPod('pod', 100);
    answers.filter(byNames(ALL, pod), NOW_MS);
    answers.prioritize(byNames(['near', 'warm'], pod), NOW_MS);
    history.bound(pod, 'near');
    const told = explain(history, 'default', 'pod') as unknown as Explanation;
    assert.equal(told.target.node, 'busy');
    assert.equal(told.boundTo, 'near');
    assert.deepEqual([told.filter.asked, told.filter.passed], [6, 2]);
    assert.deepEqual(told.filter.rejected, {
      'no-fresh-probe': 1,
      'cpu-over-limit': 2,
      'latency-over-limit': 1,
    });
    assert.match(told.filter.nodes.find(({ node }) => node === 'far')?.why ?? '', /^latency/);
    assert.equal(told.prioritize.best, 'near');
    const [near, warm] = told.prioritize.nodes;
    assert.deepEqual([near?.node, near?.extenderScore], ['near', 9]);
    // As it was when it was asked, before the pod itself counted.
    assert.ok(Math.abs((near?.score ?? 0) - 0.905) < 1e-9);
    assert.deepEqual([warm?.node, warm?.extenderScore], ['warm', 6]);
  });

  it('knows nothing of a pod that nobody asked about, and forgets the oldest', () => {
    const { answers, history } = extender(FOUR);
    assert.equal(explain(history, 'default', 'pod'), undefined);
    for (let index = 0; index < 101; index += 1)
      answers.filter(byNames(['near'], askedPod(`pod-${index}`)), NOW_MS);
    assert.equal(explain(history, 'default', 'pod-0'), undefined);
    assert.ok(explain(history, 'default', 'pod-100') !== undefined);
  });
});
