import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PrometheusTraffic } from '../../../runtime/latency-extender/adapters/prometheus-traffic';
import { ProberClient } from '../../../runtime/shared/prober-client';
import { scores } from './support';

describe('latency-extender: the busiest node', () => {
  const busiest = (series: readonly [node: string | undefined, value: number][]) =>
    new PrometheusTraffic(
      {
        query: async () =>
          series.map(([node, value]) => ({
            labels: Object.fromEntries(node === undefined ? [] : [['node', node]]),
            value,
            evaluatedAtMs: 0,
          })),
      },
      'topk(1, x)',
    ).busiest();

  it('is the one with the highest rate, among equals the first name', async () => {
    assert.deepEqual(
      await busiest([
        ['a', 1],
        ['b', 9],
        ['c', 3],
      ]),
      { node: 'b', requestsPerSecond: 9 },
    );
    assert.equal(
      (
        await busiest([
          ['b', 2],
          ['a', 2],
          ['c', 2],
        ])
      )?.node,
      'a',
    );
  });

  it('is none where nobody has traffic: 0, no number, no node, no series', async () => {
    assert.equal(await busiest([]), undefined);
    assert.equal(
      await busiest([
        ['a', 0],
        ['b', NaN],
        [undefined, 7],
        ['', 7],
      ]),
      undefined,
    );
  });
});

describe('latency-extender: asking a prober', () => {
  let server: Server;
  let address: string;
  let client: ProberClient;
  const asked: string[] = [];
  /** What is answered; nothing at all while it is undefined. */
  let answer: { status: number; body: string } | undefined;

  before(async () => {
    server = createServer((request, response) => {
      asked.push(request.url ?? '');
      if (answer === undefined) return;
      response.writeHead(answer.status).end(answer.body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    client = new ProberClient(5000);
  });
  after(async () => {
    await client.close();
    server.closeAllConnections();
    server.close();
  });

  it('gives what it says, and tells it whom to measure to', async () => {
    const said = scores('a', 0.2, { b: 4 });
    answer = { status: 200, body: JSON.stringify(said) };
    assert.deepEqual(await client.scores(address), said);
    assert.deepEqual(await client.scores(address, '[fd00::1]:3000'), said);
    const [plain, focused] = asked;
    assert.equal(plain, '/scores');
    const { searchParams } = new URL(focused ?? '', 'http://prober');
    assert.equal(searchParams.get('focus'), '[fd00::1]:3000');
  });

  const bad: [string, { status: number; body: string }, RegExp][] = [
    ['an error', { status: 503, body: '{}' }, /HTTP 503/],
    ['no JSON', { status: 200, body: '<html>' }, /JSON/],
    ['something else', { status: 200, body: '{"node":"a"}' }, /not what a prober answers: cpu/],
    [
      'a ratio that is none',
      { status: 200, body: JSON.stringify(scores('a', 7)) },
      /not what a prober answers: cpu.cpuRatio/,
    ],
  ];
  for (const [name, given, reason] of bad)
    it(`refuses ${name}`, async () => {
      answer = given;
      await assert.rejects(client.scores(address), reason);
    });

  it('gives up after its time limit', async () => {
    answer = undefined;
    const impatient = new ProberClient(50);
    await assert.rejects(impatient.scores(address), /no answer within 50 ms/);
    await impatient.close();
  });
});
