import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { buildServiceContext } from '../../components/build-context';
import { proberScoresSchema, type ProberScores } from '../../runtime/shared/prober-scores';
import { eventually } from './support/kube';
import { freePorts } from './support/processes';
import { ServiceProcess, temporaryFolder } from './support/service-process';

const LIMIT_MS = 600_000;
/** Between a and b; a and c are as near as one machine is to itself. */
const SIMULATED_MS = 200;

describe('prober, three of them', function () {
  this.timeout(1_800_000);
  const nodes = ['node-a', 'node-b', 'node-c'] as const;
  let folder: string;
  let ports: number[];
  const running = new Map<string, ServiceProcess>();

  const start = (index: number): void => {
    running.set(
      nodes[index] ?? '',
      new ServiceProcess(folder, {
        NODE_NAME: nodes[index] ?? '',
        HTTP_HOST: '127.0.0.1',
        PORT: String(ports[index]),
        PEERS: ports.map((port) => `127.0.0.1:${port}`).join(),
        CPU_SOURCE: 'proc',
        CPU_INTERVAL_MS: '200',
        PROBE_INTERVAL_MS: '200',
        LATENCY_HALF_LIFE_MS: '500',
        PROBE_TIMEOUT_MS: '10000',
        READING_MAX_AGE_MS: '20000',
        SIMULATED_LATENCIES_MS: `node-a/node-b=${SIMULATED_MS}`,
      }),
    );
  };
  const scores = async (index: number): Promise<ProberScores> => {
    const response = await fetch(`http://127.0.0.1:${ports[index]}/scores`);
    return proberScoresSchema.parse(await response.json());
  };
  const stop = async (index: number): Promise<number | NodeJS.Signals | undefined> => {
    const one = running.get(nodes[index] ?? '');
    one?.kill('SIGTERM');
    return one?.ended;
  };

  before(async () => {
    folder = buildServiceContext('prober', await temporaryFolder('prober'));
    ports = await freePorts(3);
    for (const index of nodes.keys()) start(index);
  });
  after(async () => {
    for (const index of nodes.keys()) await stop(index);
    await rm(folder, { recursive: true, force: true });
  });

  it('measures its CPU and the way to the others, and says what is simulated', async () => {
    const known = await eventually(
      'both peers and CPU are known, the near one as nearer',
      async () => {
        const seen = await scores(0);
        const { 'node-b': b, 'node-c': c } = seen.peers;
        // On a busy machine the near one may be slow for a while.
        return b && c && c.latencyMs < b.latencyMs && seen.cpu !== null && seen;
      },
      LIMIT_MS,
    );
    assert.equal(known.simulated, true);
    const { 'node-b': far, 'node-c': near } = known.peers;
    // A timer may fire a little early.
    assert.ok(far && far.latencyMs >= SIMULATED_MS - 2, `b is ${far?.latencyMs} ms away`);
    assert.ok(near);
    assert.equal(known.peers['node-a'], undefined);
    const ready = await fetch(`http://127.0.0.1:${ports[0]}/readyz`);
    assert.equal(ready.status, 200);
    await eventually(
      'the metric of the far one',
      async () =>
        /prober_peer_latency_seconds\{peer="node-b"\} 0\.\d+/.test(
          await (await fetch(`http://127.0.0.1:${ports[0]}/metrics`)).text(),
        ),
      LIMIT_MS,
    );
  });

  it('comes within 10 % of the true latency', async () => {
    // It can only ever measure more, while the machine is busy with other things: the least of many rounds counts.
    await eventually(
      `b was measured to be less than ${1.1 * SIMULATED_MS} ms away`,
      async () => ((await scores(0)).peers['node-b']?.latencyMs ?? Infinity) < 1.1 * SIMULATED_MS,
      LIMIT_MS,
    );
  });

  it('lets a peer that ended become unknown, and knows it again when it is back', async () => {
    assert.equal(await stop(2), 0);
    const without = await eventually(
      'c is unknown, and b is not',
      async () => {
        const seen = await scores(0);
        const { 'node-b': b } = seen.peers;
        return b !== undefined && seen.unknownPeers['node-c'] !== undefined && seen;
      },
      LIMIT_MS,
    );
    assert.equal(without.peers['node-c'], undefined);
    start(2);
    await eventually('c is back', async () => (await scores(0)).peers['node-c'], LIMIT_MS);
  });
});
