import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HttpEcho } from '../../../runtime/prober/adapters/http-echo';
import { addProberRoutes } from '../../../runtime/prober/app';
import { proberMetrics } from '../../../runtime/prober/metrics';
import { scoresAt } from '../../../runtime/prober/policy/scores';
import { parseSimulatedLatencies } from '../../../runtime/prober/policy/simulation';
import { systemClock } from '../../../runtime/shared/clock';
import { startHealthServer, type HealthServer } from '../../../runtime/shared/health-server';
import { createMetrics } from '../../../runtime/shared/metrics';
import { ProberClient } from '../../../runtime/shared/prober-client';

const LIMIT_MS = 20_000;

describe('prober: HTTP', () => {
  let server: HealthServer;
  let address: string;
  const focused: string[] = [];
  const waitedMs: number[] = [];
  const echo = new HttpEcho('asking', LIMIT_MS);

  before(async () => {
    server = await startHealthServer({
      host: '127.0.0.1',
      port: 0,
      keepAliveMs: 120_000,
      registry: proberMetrics(createMetrics('prober', { processMetrics: false })).registry,
      healthy: () => ({ ok: true }),
      ready: () => ({ ok: true }),
      routes: (app) =>
        addProberRoutes(app, {
          node: 'answering',
          clock: { ...systemClock, sleep: async (ms) => void waitedMs.push(ms) },
          simulated: parseSimulatedLatencies('asking/answering=40,answering/*=0'),
          peers: { focus: (one) => focused.push(one) > 0 },
          scores: () =>
            scoresAt(
              { node: 'answering', cpu: undefined, peers: new Map() },
              { readingMaxAgeMs: 1000, latencyFullScaleMs: 100, simulated: true },
              0,
            ),
        }),
    });
    address = `127.0.0.1:${server.port}`;
  });
  after(async () => {
    echo.close();
    await server.close();
  });

  it('names its node in the echo, and delays it as is set for the two nodes', async () => {
    const { node, roundTripMs } = await echo.probe(address);
    assert.equal(node, 'answering');
    assert.ok(roundTripMs > 0);
    // The connection was new, so there was an exchange that does not count.
    assert.deepEqual(waitedMs, [40, 40]);
    await echo.probe(address);
    assert.deepEqual(waitedMs, [40, 40, 40]);
    const stranger = new HttpEcho('stranger', LIMIT_MS);
    await stranger.probe(address);
    stranger.close();
    assert.equal(waitedMs.length, 3);
  });

  it('answers its scores, and hears whom it shall measure to', async () => {
    const client = new ProberClient(LIMIT_MS);
    const scores = await client.scores(address);
    assert.deepEqual([scores.node, scores.cpu, scores.simulated], ['answering', null, true]);
    assert.deepEqual(focused, []);
    await client.scores(address, '10.0.0.7:3000');
    assert.deepEqual(focused, ['10.0.0.7:3000']);
    await client.close();
  });
});

describe('prober: a peer that is none', () => {
  let server: Server;
  let address: string;
  let answer: string | undefined;

  before(async () => {
    server = createServer((_request, response) => {
      if (answer !== undefined) response.end(answer);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  for (const other of ['<html>', '{"node":""}', '[]', 'null'])
    it(`is told from a prober when it answers ${other}`, async () => {
      answer = other;
      const echo = new HttpEcho('asking', LIMIT_MS);
      await assert.rejects(echo.probe(address), /HTTP 200, not the echo of a prober/);
      echo.close();
    });

  it('is not read without end', async () => {
    answer = 'x'.repeat(100_000);
    const echo = new HttpEcho('asking', LIMIT_MS);
    await assert.rejects(echo.probe(address), /too long/);
    echo.close();
  });

  it('is silent when it does not answer in time, or is not there', async () => {
    answer = undefined;
    const echo = new HttpEcho('asking', 50);
    await assert.rejects(echo.probe(address), /no answer within 50 ms/);
    echo.close();
    const patient = new HttpEcho('asking', LIMIT_MS);
    await assert.rejects(patient.probe('127.0.0.1:1'), /ECONNREFUSED/);
    patient.close();
  });
});
