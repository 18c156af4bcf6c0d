import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { ControllerClient } from '../../../runtime/external-scaler/adapters/controller-client';
import { SharedCpu } from '../../../runtime/external-scaler/adapters/shared-cpu';
import { MemoryCpu } from '../../../runtime/shared/node-cpu/memory-cpu';
import { FakeClock } from '../analyzer/fake-clock';

const NODES = ['a', 'b'].map((name) => ({ name, internalIps: [], hostnames: [] }));
const POLL_MS = 10_000;

describe('external scaler: readings of the node-controller', () => {
  const server = createServer((_request, response) => {
    response.statusCode = said === undefined ? 503 : 200;
    response.end(JSON.stringify(said ?? {}));
  });
  let url: string;
  /** What `/last` answers. */
  let said: object | undefined;

  before(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });

  const last = (readings?: Record<string, { cpuRatio: number; ageMs: number }>): void =>
    void (said = { takenAtMs: 1, leader: true, nodes: [], ...(readings && { readings }) });

  function setUp() {
    const clock = new FakeClock();
    const log = pino({ level: 'silent' });
    const client = new ControllerClient({ url, pollMs: POLL_MS, timeoutMs: 60_000 }, clock, log);
    const own = new MemoryCpu();
    const takenAtMs = clock.nowMs();
    own.readings = [{ node: 'a', instance: '', reading: { cpuRatio: 0.99, takenAtMs } }];
    const cpu = new SharedCpu(client, own);
    const ratio = async (node: string) => (await cpu.read(NODES)).byNode.get(node)?.cpuRatio;
    return { client, clock, cpu, own, ratio };
  }

  it('count as its own, as old as they are, and Prometheus is not asked', async () => {
    const { client, clock, cpu, own } = setUp();
    own.failure = new Error('must not be asked');
    last({ a: { cpuRatio: 0.25, ageMs: 4000 }, other: { cpuRatio: 0.5, ageMs: 0 } });
    await client.once();
    assert.deepEqual(
      [...(await cpu.read(NODES)).byNode],
      [['a', { cpuRatio: 0.25, takenAtMs: clock.nowMs() - 4000 }]],
    );
  });

  it('are not waited for: it asks for itself before there are any, and where there are none', async () => {
    const { client, ratio } = setUp();
    assert.equal(await ratio('a'), 0.99);
    last();
    await client.once();
    assert.equal(await ratio('a'), 0.99);
    last({ other: { cpuRatio: 0.5, ageMs: 0 } });
    await client.once();
    assert.equal(await ratio('a'), 0.99);
  });

  it('are left when it has been silent for more than two looks', async () => {
    const { client, clock, ratio } = setUp();
    last({ a: { cpuRatio: 0.25, ageMs: 0 } });
    await client.once();
    said = undefined;
    await clock.advance(2 * POLL_MS);
    await client.once();
    assert.equal(await ratio('a'), 0.25);
    await clock.advance(POLL_MS);
    assert.equal(await ratio('a'), 0.99);
  });

  it('are left at once when it cannot read any more', async () => {
    const { client, ratio } = setUp();
    last({ a: { cpuRatio: 0.25, ageMs: 0 } });
    await client.once();
    last();
    await client.once();
    assert.equal(await ratio('a'), 0.99);
  });

  it('do not go back to an older one that another replica has', async () => {
    const { client, ratio } = setUp();
    last({ a: { cpuRatio: 0.25, ageMs: 1000 } });
    await client.once();
    last({ a: { cpuRatio: 0.75, ageMs: 6000 } });
    await client.once();
    assert.equal(await ratio('a'), 0.25);
  });
});
