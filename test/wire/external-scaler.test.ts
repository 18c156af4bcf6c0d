import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { status } from '@grpc/grpc-js';
import { ScalerPlane, ScalerProcess } from './support/external-scaler';
import { FakePrometheus } from './support/fake-prometheus';
import { createNode, eventually } from './support/kube';
import { ref, ScalerClient } from './support/scaler-client';

const LIMIT_MS = 600_000;
const soon = <T>(what: string, ask: () => Promise<T | undefined | false>): Promise<T> =>
  eventually(what, ask, LIMIT_MS);

describe('external-scaler with a real API server', function () {
  this.timeout(1_800_000);
  let plane: ScalerPlane;
  let prometheus: FakePrometheus;
  let scaler: ScalerProcess;
  let client: ScalerClient;

  const start = (env: Readonly<Record<string, string>> = {}): Promise<ScalerProcess> =>
    ScalerProcess.start({ KUBECONFIG: plane.kubeconfig, PROM_URL: prometheus.url, ...env });
  const node = async (name: string, slot: number, ratio: number): Promise<void> => {
    const labels = { 'posture/eligible': 'true', 'posture/slot': `slot-${slot}` };
    prometheus.ratios.set(name, ratio);
    await createNode(plane.api, { name, labels });
  };

  before(async () => {
    [plane, prometheus] = await Promise.all([ScalerPlane.start(), FakePrometheus.start()]);
    await node('node-1', 1, 0.1);
    await node('node-2', 2, 0.95);
    await createNode(plane.api, { name: 'node-3' });
    for (const name of ['one', 'two', 'three']) await plane.scaledJob(name);
    scaler = await start();
    client = await ScalerClient.learn(scaler.grpcPort);
    await soon('the free node is seen', async () => (await scaler.ruleOf('node-1')) === 'free');
  });
  afterEach(function () {
    if (this.currentTest?.state === 'failed') process.stderr.write(`${scaler?.process.log()}\n`);
  });
  after(async () => {
    client?.close();
    await scaler?.stop();
    await prometheus?.stop();
    await plane?.stop();
  });

  it('says by reflection what it offers, in both versions, and that it serves', async () => {
    assert.ok(client.services.includes('externalscaler.ExternalScaler'));
    const other = await ScalerClient.learn(scaler.grpcPort, undefined, 'v1alpha');
    assert.deepEqual(other.services, client.services);
    other.close();
    for (const service of ['', 'externalscaler.ExternalScaler'])
      assert.equal(await client.healthOf(service), 'SERVING');
    await assert.rejects(client.healthOf('nobody'), { code: status.NOT_FOUND });
  });

  it('says of each node whether its berth is to be had, or the rule that says no', async () => {
    const { source, nodes } = await scaler.eligible();
    assert.equal(source, 'own');
    const rules = nodes.map((one) => [one.node, one.allowed, one.rule]);
    assert.deepEqual(rules, [
      ['node-1', true, undefined],
      ['node-2', false, 'over-threshold'],
      ['node-3', false, 'not-eligible'],
    ]);
  });

  it('goes with a ScaledJob from waiting to its Job, its pod, and the end, and then serves the next', async () => {
    assert.deepEqual(await client.call('GetMetricSpec', ref('one')), {
      metricSpecs: [{ metricName: 'available_node_count_30s', targetSize: 1, targetSizeFloat: 1 }],
    });
    assert.equal(await client.metric('one'), 1);
    assert.equal(await client.isActive('one'), true);
    assert.equal(await client.metric('two'), 0);
    assert.equal(await client.isActive('two'), false);
    const stream = client.stream('two');
    await soon('the stream says no', async () => stream.said.length === 1 && !stream.said[0]);

    await plane.job('one', 'one-1');
    await soon('its Job is seen', async () => (await client.metric('one')) === 0);
    assert.equal(await client.metric('two'), 0);
    await plane.pod('one', 'one-1', 'node-1');
    await soon('the node is held', async () => (await scaler.ruleOf('node-1')) === 'held');
    const { freeBerths, queue } = await scaler.allowed();
    assert.equal(freeBerths, 0);
    assert.deepEqual(
      queue.map(({ scaledJob, state, position }) => [scaledJob, state, position]),
      [
        ['posture/two', 'queued', 1],
        ['posture/one', 'running', null],
        ['posture/three', 'queued', null],
      ],
    );
    assert.equal(await client.metric('three'), 0);

    await plane.end('one-1');
    await soon('the stream says yes', async () => stream.said.at(-1) === true);
    // KEDA may ask for another one first: it is not its turn.
    assert.equal(await client.metric('three'), 0);
    assert.equal(await client.metric('one'), 0);
    assert.equal(await client.metric('two'), 1);
    assert.deepEqual(stream.said, [false, true]);
    stream.cancel();
    await soon(
      'the stream is gone',
      async () => (await scaler.metric('external_scaler_streams')) === 0,
    );
    await plane.job('two', 'two-1');
    await plane.pod('two', 'two-1', 'node-1');
    await plane.end('two-1');
    await soon('the berth is free', async () => (await client.metric('three')) === 1);
    await plane.job('three', 'three-1');
    await plane.pod('three', 'three-1', 'node-1');
    await plane.end('three-1');
  });

  it('refuses bad metadata with key and range, but for the spec, without which KEDA says nothing', async () => {
    const bad: readonly [Record<string, string>, RegExp][] = [
      [{ threshold: '70' }, /threshold "70": must be a number from 0\.05 to 1/],
      [{ slot: '11' }, /slot "11": must be a whole number from 1 to 10/],
      [{ treshold: '0.5' }, /treshold: no such key/],
    ];
    for (const [metadata, message] of bad) {
      const refused = { code: status.INVALID_ARGUMENT, message };
      await assert.rejects(client.isActive('one', metadata), refused);
      await assert.rejects(client.metric('one', metadata), refused);
      const spec = await client.call('GetMetricSpec', ref('one', metadata));
      assert.equal((spec['metricSpecs'] as unknown[]).length, 1);
    }
    await assert.rejects(client.call('IsActive', ref('one', {}, 'other')), {
      code: status.INVALID_ARGUMENT,
      message: /namespace "other": must be posture/,
    });
    const spec = await client.call('GetMetricSpec', ref('one', { metricName: 'mine' }));
    assert.deepEqual(spec['metricSpecs'], [
      { metricName: 'mine', targetSize: 1, targetSizeFloat: 1 },
    ]);
  });

  it('asks Prometheus nothing on a call', async () => {
    const quiet = await start({ CPU_POLL_INTERVAL_MS: '60000' });
    const caller = await ScalerClient.learn(quiet.grpcPort);
    try {
      await soon('CPU is read', async () => (await quiet.ruleOf('node-1')) !== 'cpu-unknown');
      const reads = () => quiet.metric('external_scaler_cpu_reads_total{outcome="ok"}');
      const before = await reads();
      await Promise.all(Array.from({ length: 500 }, () => caller.metric('one')));
      // The one of each minute may be due just now.
      assert.ok(
        ((await reads()) ?? NaN) <= (before ?? NaN) + 1,
        `${await reads()}, after ${before}`,
      );
    } finally {
      caller.close();
      await quiet.stop();
    }
  });

  it('without Prometheus goes by the last readings until they are too old, then gives none and says why', async () => {
    const patient = await start({ READING_MAX_AGE_MS: '3600000' });
    const strict = await start({ READING_MAX_AGE_MS: '3000' });
    const callers = await Promise.all(
      [patient, strict].map(({ grpcPort }) => ScalerClient.learn(grpcPort)),
    );
    try {
      for (const one of [patient, strict])
        await soon('CPU is read', async () => (await one.ruleOf('node-1')) === 'free');
      prometheus.mode = 'error 500';
      await soon('it is too old', async () => (await strict.ruleOf('node-1')) === 'cpu-unknown');
      // An answer that was on its way when Prometheus failed may still come in, and count for a while.
      await soon('it gives none', async () => (await callers[1]?.metric('one')) === 0);
      await soon('it says why', async () =>
        /CPU: http: HTTP 500/.test((await strict.eligible()).degraded.join()),
      );
      await soon('it is noticed', async () => (await patient.eligible()).degraded.length > 0);
      assert.equal(await patient.ruleOf('node-1'), 'free');
      assert.equal(await callers[0]?.metric('one'), 1);
      prometheus.mode = 'ratios';
      await soon(
        'it is read again, and says so',
        async () => (await strict.eligible()).degraded.length === 0,
      );
      await soon('node-1 is free', async () => (await strict.ruleOf('node-1')) === 'free');
    } finally {
      prometheus.mode = 'ratios';
      for (const caller of callers) caller.close();
      await Promise.all([patient.stop(), strict.stop()]);
    }
  });

  it('goes by the node-controller as well, and counts for itself when that is gone', async () => {
    const controller = await FakeController.start();
    const led = await start({
      CONTROLLER_URL: controller.url,
      CONTROLLER_POLL_MS: '500',
      CONTROLLER_MAX_AGE_MS: '5000',
    });
    try {
      await soon(
        'it asks the controller',
        async () => (await led.eligible()).source === 'controller',
      );
      await soon(
        'the controller says no',
        async () => (await led.ruleOf('node-1')) === 'controller',
      );
      await controller.stop();
      await soon('it counts for itself', async () => (await led.eligible()).source === 'own');
      await soon('its own count says yes', async () => (await led.ruleOf('node-1')) === 'free');
      assert.match((await led.eligible()).degraded.join(), /without the node-controller/);
    } finally {
      await controller.stop();
      await led.stop();
    }
  });

  it('ends streams well on SIGTERM, and exits with 0', async () => {
    const other = await start();
    const caller = await ScalerClient.learn(other.grpcPort);
    const stream = caller.stream('one');
    await soon('the stream is open', async () => stream.said.length > 0);
    assert.equal(await other.stop(), 0);
    await soon('the stream has ended', async () => stream.over !== undefined);
    assert.equal(stream.over, 'end');
    caller.close();
  });
});

/** A node-controller that says no to node-1, and counts whenever it is asked. */
class FakeController {
  private constructor(private readonly server: Server) {}

  static async start(): Promise<FakeController> {
    const nodes = [{ node: 'node-1', available: false, rule: 'over-threshold', why: 'too busy' }];
    let takenAtMs = 0;
    const server = createServer((_request, response) => {
      response.end(JSON.stringify({ takenAtMs: (takenAtMs += 1), leader: true, nodes }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new FakeController(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    if (!this.server.listening) return;
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
