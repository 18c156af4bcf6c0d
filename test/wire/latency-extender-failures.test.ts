import assert from 'node:assert/strict';
import { LatencySystem, LIMIT_MS, NODES } from './support/latency-system';

/** kube-schedulers, by what they are told to do. */
const HASTY = 'hasty';
const IGNORING = 'ignoring';
const PATIENT = 'patient';

describe('a real kube-scheduler while readings, or the extender, fail', function () {
  this.timeout(1_800_000);
  let system: LatencySystem;
  /** Pods of the default scheduler do not notice. */
  const defaultPlaces = async (name: string): Promise<void> => {
    await system.create(name, 'default-scheduler');
    await system.bound(name);
  };

  before(async () => {
    system = await LatencySystem.start(HASTY, {
      NOTHING_FRESH: 'closed',
      TRAFFIC_MAX_AGE_MS: '20000',
    });
    await system.ready();
    await system.startScheduler(HASTY, { httpTimeoutSeconds: 2, proxied: true });
    await system.startScheduler(IGNORING, {
      httpTimeoutSeconds: 2,
      ignorable: true,
      proxied: true,
    });
    await system.startScheduler(PATIENT, { nodeCacheCapable: false, proxied: true });
  });
  afterEach(function () {
    system?.proxy.held.clear();
    if (this.currentTest?.state === 'failed')
      process.stderr.write(`${system?.extender.log() ?? ''}\n`);
  });
  after(() => system?.stop());

  it('asks with Pod and NodeNames, or with Pod and Nodes, and with null for the other', async () => {
    await system.create('named', HASTY);
    await system.create('whole', PATIENT);
    for (const verb of ['filter', 'prioritize']) {
      const named = await system.proxy.question(verb, 'named', LIMIT_MS);
      const names = named.body['NodeNames'] as string[];
      assert.deepEqual(Object.keys(named.body).sort(), ['NodeNames', 'Nodes', 'Pod']);
      assert.equal(named.body['Nodes'], null);
      assert.deepEqual([...names].sort(), NODES);
      const whole = await system.proxy.question(verb, 'whole', LIMIT_MS);
      const { items } = whole.body['Nodes'] as { items: { metadata: { name: string } }[] };
      assert.equal(whole.body['NodeNames'], null);
      assert.deepEqual(items.map(({ metadata }) => metadata.name).sort(), NODES);
    }
    await system.bound('named');
    await system.bound('whole');
  });

  it('lets pods wait while the extender does not answer in time, and places them afterwards', async () => {
    system.proxy.held.add('filter');
    await system.create('waits', HASTY);
    await defaultPlaces('not-slowed');
    const { note } = await system.event('FailedScheduling', 'waits');
    assert.match(note, /\/filter.*(deadline|[Tt]imeout)/);
    assert.equal(await system.node('waits'), undefined);
    system.proxy.held.clear();
    await system.bound('waits');
  });

  it('places pods without a rank, but never where the filter kept them out, when only the rank is late', async () => {
    await system.heat('node-1', 0.95, 'cpu-over-limit');
    system.proxy.held.add('prioritize');
    await system.create('unranked', HASTY);
    assert.notEqual(await system.bound('unranked'), 'node-1');
    await system.heat('node-1', 0.2);
  });

  it('places pods without an extender that does not answer in time where it may be ignored', async () => {
    system.proxy.held.add('filter').add('prioritize');
    await system.create('ignored', IGNORING);
    await system.bound('ignored');
  });

  it('ranks by the median while Prometheus is down, and by the busiest node again afterwards', async () => {
    system.traffic.down = true;
    const { target, nodes } = await system.state(
      'there is no target',
      (state) => state.target.node === null,
    );
    assert.match(target.why, /Prometheus/);
    for (const { latencyBasis, rule } of nodes)
      assert.deepEqual([latencyBasis, rule], ['median', undefined]);
    await system.create('by-median', PATIENT);
    const node = await system.bound('by-median');
    const { prioritize } = await system.explained('by-median');
    assert.equal(prioritize?.best, node);
    for (const one of prioritize?.nodes ?? []) assert.equal(one.latencyBasis, 'median');
    await defaultPlaces('no-prometheus');
    system.traffic.down = false;
    await system.ready();
  });

  it('lets pods wait while no prober answers, if it is set to', async () => {
    await system.silence(NODES, true);
    await system.create('closed', PATIENT);
    const { note } = await system.event('FailedScheduling', 'closed');
    assert.match(note, /no fresh probe of any node/);
    await defaultPlaces('no-probers');
    assert.equal(await system.node('closed'), undefined);
    await system.silence(NODES, false);
    await system.create('opened', PATIENT);
    await system.bound('opened');
  });
});
