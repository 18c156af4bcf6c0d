import assert from 'node:assert/strict';
import { eventually, getPod, listEvents, type SeenEvent } from './support/kube';
import { BUSY, LatencySystem, LIMIT_MS, NAMESPACE, NODES } from './support/latency-system';

describe('latency-extender with a real kube-scheduler', function () {
  this.timeout(900_000);
  let system: LatencySystem;
  const event = (reason: string, pod: string): Promise<SeenEvent> =>
    eventually(
      `${pod} has an event ${reason}`,
      async () =>
        (await listEvents(system.api, NAMESPACE)).find(
          (one) => one.reason === reason && one.regarding.name === pod,
        ),
      LIMIT_MS,
    );
  /** Changes all probers, and waits until all nodes are judged so. */
  const setAll = async (
    change: { cpuRatio?: number; silent?: boolean },
    rule: string | undefined,
  ): Promise<void> => {
    for (const node of NODES) Object.assign(system.prober(node), change);
    for (const node of NODES) await system.judged(node, rule);
  };

  before(async () => {
    system = await LatencySystem.start('by-names');
    system.prober(BUSY).cpuRatio = 0.8;
    await system.startScheduler('by-names', true);
    await system.startScheduler('by-nodes', false);
    await system.ready();
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

  it('takes exactly the penalty for CPU between 0.70 and 0.85, and keeps off a node above', async () => {
    const { nodes } = await system.get<{ nodes: { node: string; penalty: number }[] }>('/state');
    assert.equal(nodes.find(({ node }) => node === BUSY)?.penalty, 0.15);
    system.prober('node-1').cpuRatio = 0.95;
    await system.judged('node-1', 'cpu-over-limit');
    await system.create('hot', 'by-names');
    assert.notEqual(await system.bound('hot'), 'node-1');
    const { filter } = await system.explained('hot');
    const rejected = filter.nodes.find(({ node }) => node === 'node-1');
    assert.match(rejected?.why ?? '', /^CPU [01]\.\d+ is over 0\.85/);
    system.prober('node-1').cpuRatio = 0.2;
    await system.judged('node-1', undefined);
  });

  it('puts the reasons into the FailedScheduling event when no node is left', async () => {
    await setAll({ cpuRatio: 0.97 }, 'cpu-over-limit');
    await system.create('nowhere', 'by-names');
    const { note } = await event('FailedScheduling', 'nowhere');
    assert.match(note, /0\/4 nodes are available/);
    assert.match(note, /CPU [01]\.\d+ is over 0\.85/);
    await setAll({ cpuRatio: 0.2 }, undefined);
  });

  it('keeps a node out while its prober is silent, and takes it back', async () => {
    system.prober('node-1').silent = true;
    await system.judged('node-1', 'no-fresh-probe');
    await system.create('without', 'by-names');
    assert.notEqual(await system.bound('without'), 'node-1');
    system.prober('node-1').silent = false;
    await system.judged('node-1', undefined);
  });

  it('places pods without readings when all probers are silent, and says so in an event', async () => {
    await setAll({ silent: true }, 'no-fresh-probe');
    await system.create('blind', 'by-names');
    await system.bound('blind');
    assert.equal((await event('LatencyReadingsUnknown', 'blind')).type, 'Warning');
    await setAll({ silent: false }, undefined);
  });

  it('leaves pods of the default scheduler alone when it is gone', async () => {
    system.extender.kill('SIGTERM');
    assert.equal(await system.extender.ended, 0);
    await system.create('other', 'default-scheduler');
    await system.bound('other');
    await system.create('waits', 'by-names');
    await event('FailedScheduling', 'waits');
    assert.equal((await getPod(system.api, NAMESPACE, 'waits')).spec.nodeName, undefined);
  });
});
