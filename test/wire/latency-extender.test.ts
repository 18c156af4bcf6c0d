import assert from 'node:assert/strict';
import { request } from 'node:http';
import { json } from 'node:stream/consumers';
import { eventually } from './support/kube';
import { BUSY, LatencySystem, LIMIT_MS, NODES } from './support/latency-system';

/** Lets a pod go to these nodes only. */
const only = (...nodes: string[]) => ({
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [
          { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: nodes }] },
        ],
      },
    },
  },
});

describe('latency-extender with a real kube-scheduler', function () {
  this.timeout(1_800_000);
  let system: LatencySystem;

  before(async () => {
    system = await LatencySystem.start('by-names');
    await system.ready();
    await system.heat(BUSY, 0.8);
    await system.startScheduler('by-names');
    await system.startScheduler('by-nodes', { nodeCacheCapable: false });
  });
  afterEach(function () {
    if (this.currentTest?.state === 'failed')
      process.stderr.write(`${system?.extender.log() ?? ''}\n`);
  });
  after(() => system?.stop());

  for (const schedulerName of ['by-names', 'by-nodes'])
    it(`places nine pods, each on the node that the formula ranked first (${schedulerName})`, async () => {
      const names = Array.from({ length: 9 }, (_, index) => `${schedulerName}-${index}`);
      await Promise.all(names.map((name) => system.create(name, schedulerName)));
      for (const name of names) {
        const node = await system.bound(name);
        const { filter, prioritize } = await system.explained(name);
        assert.equal(filter.asked, NODES.length);
        assert.equal(prioritize?.best, node);
        const nodes = prioritize?.nodes ?? [];
        const best = Math.max(...nodes.map(({ score }) => score ?? 0));
        assert.equal(nodes.find((one) => one.node === node)?.score, best);
      }
    });

  it('sees where its pods were bound', async () => {
    const seen = await eventually(
      'the extender has seen it',
      async () => (await system.explained('by-names-0')).boundTo ?? undefined,
      LIMIT_MS,
    );
    assert.equal(seen, await system.bound('by-names-0'));
  });

  it('takes exactly the penalty for CPU between 0.70 and 0.85, which may cost a node the pod', async () => {
    // Without the penalty the busy node would be before the one 30 ms away: 0.76 and 0.73.
    await system.create('penalized', 'by-names', only(BUSY, 'node-3'));
    assert.equal(await system.bound('penalized'), 'node-3');
    const { prioritize } = await system.explained('penalized');
    const busy = prioritize?.nodes.find(({ node }) => node === BUSY);
    assert.equal(busy?.penalty, 0.15);
    assert.equal(busy.latencyRatio, 0);
    const expected = (1 - (busy.effectiveCpuRatio ?? NaN)) * 0.3 + 0.7 - 0.15;
    assert.ok(Math.abs((busy.score ?? NaN) - expected) < 1e-9, `${busy.score}, not ${expected}`);
    await system.heat(BUSY, 0.69);
    await system.create('spared', 'by-names', only(BUSY, 'node-3'));
    assert.equal(await system.bound('spared'), BUSY);
    await system.heat(BUSY, 0.2);
  });

  it('keeps off a node over 0.85', async () => {
    await system.heat('node-1', 0.95, 'cpu-over-limit');
    await system.create('hot', 'by-names');
    assert.notEqual(await system.bound('hot'), 'node-1');
    const { filter } = await system.explained('hot');
    const rejected = filter.nodes.find(({ node }) => node === 'node-1');
    assert.match(rejected?.why ?? '', /^CPU [01]\.\d+ is over 0\.85/);
    await system.heat('node-1', 0.2);
  });

  it('puts the reasons into the FailedScheduling event when no node is left', async () => {
    for (const node of NODES) await system.heat(node, 0.97, 'cpu-over-limit');
    await system.create('nowhere', 'by-names');
    const { note } = await system.event('FailedScheduling', 'nowhere');
    assert.match(note, /0\/4 nodes are available/);
    assert.match(note, /CPU [01]\.\d+ is over 0\.85/);
    for (const node of NODES) await system.heat(node, 0.2);
  });

  it('keeps a node out while its prober is silent, and takes it back', async () => {
    await system.silence(['node-1'], true);
    await system.create('without', 'by-names');
    assert.notEqual(await system.bound('without'), 'node-1');
    await system.silence(['node-1'], false);
    await system.create('with', 'by-names', only('node-1'));
    assert.equal(await system.bound('with'), 'node-1');
  });

  it('places pods without readings when all probers are silent, and says so in an event', async () => {
    await system.silence(NODES, true);
    await system.create('blind', 'by-names');
    await system.bound('blind');
    assert.equal((await system.event('LatencyReadingsUnknown', 'blind')).type, 'Warning');
    await system.silence(NODES, false);
  });

  const pod = { metadata: { name: 'large', namespace: 'test', uid: 'large' } };
  const post = (verb: string, body: string) =>
    fetch(`${system.url}/${verb}`, { method: 'POST', body });

  it('takes 5,000 nodes in full with the limit that it has by default', async () => {
    const image = { names: ['registry.example.org/some/image:1.0'.padEnd(200, 'x')], sizeBytes: 1 };
    const status = { images: Array.from({ length: 25 }, () => image) };
    const names = [...NODES, ...Array.from({ length: 4_996 }, (_, index) => `stranger-${index}`)];
    const items = names.map((name) => ({ metadata: { name }, status }));
    const body = JSON.stringify({ Pod: pod, Nodes: { items }, NodeNames: null });
    assert.ok(body.length > 25_000_000);
    const response = await post('filter', body);
    assert.equal(response.status, 200);
    const { Nodes, FailedNodes } = (await response.json()) as {
      Nodes: { items: (typeof items)[number][] };
      FailedNodes: Record<string, string>;
    };
    assert.deepEqual(Nodes.items, items.slice(0, NODES.length));
    assert.equal(Object.keys(FailedNodes).length, 4_996);
  });

  it('refuses what is too large before it has come, and what is no question, each with the reason', async () => {
    const malformed = await post('prioritize', JSON.stringify({ Pod: pod, NodeNames: 'node-0' }));
    assert.equal(malformed.status, 400);
    assert.deepEqual(await malformed.json(), { error: 'NodeNames: is no list of names' });
    const answer = await new Promise<{ status: number | undefined; body: unknown }>(
      (resolve, reject) => {
        const headers = { 'content-length': 1024 ** 3 };
        const asking = request(`${system.url}/filter`, { method: 'POST', headers });
        asking.once('error', reject);
        asking.once('response', (response) => {
          json(response).then((body) => {
            resolve({ status: response.statusCode, body });
            asking.destroy();
          }, reject);
        });
        asking.flushHeaders();
      },
    );
    assert.equal(answer.status, 413);
    assert.deepEqual(answer.body, {
      error: 'the body is larger than 134217728 bytes (MAX_BODY_BYTES)',
    });
  });

  // The last: it ends the extender.
  it('leaves pods of the default scheduler alone when it is gone', async () => {
    system.extender.kill('SIGTERM');
    assert.equal(await system.extender.ended, 0);
    await system.create('other', 'default-scheduler');
    await system.bound('other');
    await system.create('waits', 'by-names');
    await system.event('FailedScheduling', 'waits');
    assert.equal(await system.node('waits'), undefined);
  });
});
