import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cpuSchedulerSettings } from '../../runtime/cpu-scheduler/settings';
import { usageSettings } from '../../runtime/autoscaler/settings';
import { systemClock } from '../../runtime/shared/clock';
import { MemoryCpu } from '../../runtime/shared/node-cpu/memory-cpu';
import { PrometheusCpu } from '../../runtime/shared/node-cpu/prometheus-cpu';
import type { CpuMetrics } from '../../runtime/shared/node-cpu/types';
import { PrometheusClient, PrometheusError } from '../../runtime/shared/prometheus';
import { parseSettings } from '../../runtime/shared/settings';
import { node } from '../policy/cpu-scheduler/support';
import { eventually } from '../wire/support/kube';
import { FakeExporter, startPrometheus } from '../wire/support/prometheus';

const NODES = [
  node('by-name'),
  node('by-ip', { addresses: [{ type: 'InternalIP', address: '10.0.0.2' }] }),
];
const SETTINGS = parseSettings({ ...cpuSchedulerSettings, ...usageSettings }, {});

/** What every CpuMetrics promises, with one node at 0.25, one at 0.75 and an instance that is no node. */
function contract(make: () => CpuMetrics): void {
  const startedMs = Date.now();

  it('gives the ratio of each node, when it was taken, and what is no node', async () => {
    // A rate over few scrapes is off by how late each of them was.
    const snapshot = await eventually('the ratios', async () => {
      const seen = await make().read(NODES);
      const near = (name: string, ratio: number) =>
        Math.abs((seen.byNode.get(name)?.cpuRatio ?? NaN) - ratio) < 0.05;
      return near('by-name', 0.25) && near('by-ip', 0.75) && seen;
    });
    for (const [name, { takenAtMs }] of snapshot.byNode) {
      // Prometheus moves the time of a scrape by a few milliseconds.
      const inTime = takenAtMs >= startedMs && takenAtMs <= Date.now() + 1000;
      assert.ok(inTime, `${name} was taken at ${takenAtMs}, the test began at ${startedMs}`);
    }
    assert.deepEqual(snapshot.unmapped, ['stranger:9100']);
  });
}

describe('CpuMetrics in memory', () => {
  const memory = new MemoryCpu();
  before(() => {
    const takenAtMs = Date.now();
    memory.readings = [
      { node: '', instance: 'by-name:9100', reading: { cpuRatio: 0.25, takenAtMs } },
      { node: '', instance: '10.0.0.2:9100', reading: { cpuRatio: 0.75, takenAtMs } },
      { node: '', instance: 'stranger:9100', reading: { cpuRatio: 0.5, takenAtMs } },
    ];
  });
  contract(() => memory);
});

describe('CpuMetrics in a real Prometheus', function () {
  this.timeout(1_800_000);
  const exporter = new FakeExporter();
  let prometheus: Awaited<ReturnType<typeof startPrometheus>>;
  let client: PrometheusClient;
  const cpu = () =>
    new PrometheusCpu(client, systemClock, SETTINGS.cpuQuery, SETTINGS.cpuTimeQuery);

  before(async () => {
    exporter.ratios.set('by-name:9100', 0.25);
    exporter.ratios.set('10.0.0.2:9100', 0.75);
    exporter.ratios.set('stranger:9100', 0.5);
    prometheus = await startPrometheus(await exporter.start());
    client = new PrometheusClient(prometheus.url, 60_000);
    await eventually('two scrapes', async () => (await cpu().read(NODES)).byNode.size === 2);
  });
  after(async () => {
    await client?.close();
    await prometheus?.stop();
    await exporter.stop();
  });
  contract(cpu);

  it('gives no reading of a node that is scraped no more, though its rate goes on', async () => {
    exporter.ratios.delete('by-name:9100');
    const snapshot = await eventually('the time is gone', async () => {
      const seen = await cpu().read(NODES);
      return seen.invalid.length > 0 && seen;
    });
    assert.equal(snapshot.byNode.has('by-name'), false);
    assert.match(snapshot.invalid.join(), /instance=by-name:9100/);
  });

  describe('the memory of nodes, by the queries of the autoscaler', () => {
    before(() => void exporter.ratios.set('by-name:9100', 0.25));
    contract(
      () => new PrometheusCpu(client, systemClock, SETTINGS.memoryQuery, SETTINGS.memoryTimeQuery),
    );
  });

  it('says what Prometheus says of a bad query', async () => {
    const bad = new PrometheusCpu(client, systemClock, 'sum(', 'vector(1)');
    await assert.rejects(
      bad.read(NODES),
      (error) =>
        error instanceof PrometheusError &&
        error.kind === 'query' &&
        /parse error/.test(error.message),
    );
  });
});

describe('a Prometheus that fails', () => {
  const answers: readonly [string, string, { status?: number; body?: string; hang?: boolean }][] = [
    ['garbage', 'garbage', { body: '<html></html>' }],
    ['nothing', 'garbage', { body: '' }],
    [
      'another kind of result',
      'garbage',
      { body: '{"status":"success","data":{"resultType":"matrix","result":[]}}' },
    ],
    ['HTTP 500', 'http', { status: 500, body: 'oops' }],
    [
      'an error of its own',
      'query',
      { status: 422, body: '{"status":"error","errorType":"x","error":"too many samples"}' },
    ],
    ['silence', 'timeout', { hang: true }],
  ];
  for (const [what, kind, { status = 200, body = '', hang = false }] of answers) {
    it(`${what} is the failure "${kind}"`, async () => {
      const server = createServer((_request, response) => {
        if (hang) return;
        response.statusCode = status;
        response.end(body);
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as AddressInfo;
      const client = new PrometheusClient(`http://127.0.0.1:${port}/prefix/`, hang ? 300 : 60_000);
      await assert.rejects(
        client.query('up'),
        (error) => error instanceof PrometheusError && error.kind === kind,
      );
      await client.close();
      server.closeAllConnections();
      server.close();
    });
  }

  it('nobody there is the failure "unreachable"', async () => {
    const client = new PrometheusClient('http://127.0.0.1:9', 60_000);
    await assert.rejects(
      client.query('up'),
      (error) => error instanceof PrometheusError && error.kind === 'unreachable',
    );
    await client.close();
  });
});
