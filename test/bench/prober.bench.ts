import { pino } from 'pino';
import { HttpEcho } from '../../runtime/prober/adapters/http-echo';
import { StaticPeers } from '../../runtime/prober/adapters/peer-lists';
import { addProberRoutes } from '../../runtime/prober/app';
import { PeerWatch } from '../../runtime/prober/loop/peer-watch';
import { proberMetrics } from '../../runtime/prober/metrics';
import { scoresAt } from '../../runtime/prober/policy/scores';
import { parseSimulatedLatencies } from '../../runtime/prober/policy/simulation';
import { proberSettings } from '../../runtime/prober/settings';
import { systemClock } from '../../runtime/shared/clock';
import { startHealthServer, type HealthServer } from '../../runtime/shared/health-server';
import { proberScoresSchema } from '../../runtime/shared/prober-scores';
import { parseSettings } from '../../runtime/shared/settings';
import { eventually } from '../wire/support/kube';
import { freePorts } from '../wire/support/processes';
import { RunningService } from '../wire/support/running-service';
import { nodeNames } from './extender-nodes';
import { growthExponent } from './growth';
import { progress } from './progress';
import { median, rounded, type Bench, type Goal, type Row } from './report';

const LANDMARKS = 8;
const GOAL_ERROR = 0.1;
/** Delays that the echo adds between the first node and each other, in ms. */
const INJECTED_MS = [20, 50, 100];

const OURS = `${LANDMARKS} landmarks`;
const ALL = 'every node pings every other';

/** What one round of all nodes took. */
interface Round {
  /** Pairs of nodes that were measured, and requests that this took. */
  readonly pairs: number;
  readonly probes: number;
  /** Processor time of both ends. */
  readonly processorMs: number;
}

/** How far a latency was from the true one, as a part of it. */
interface Errors {
  readonly prober: number[];
  readonly ping: number[];
}

/** A round of probes of all nodes, and how near to the truth it comes. */
export const proberBench: Bench = {
  what: 'a round of probes at N nodes against N x N pings; measured against injected latencies',
  async run({ rounds, quick, nodes: largest = quick ? 40 : 90 }) {
    const sizes = [Math.max(2, Math.round(largest / 4)), largest];
    const costs: Record<string, Round[]> = {};
    for (const nodes of sizes) {
      progress(`${nodes} nodes: ${rounds} rounds`);
      for (const [name, turns] of Object.entries(await roundsOf(nodes, rounds)))
        costs[`${name}, ${nodes} nodes`] = turns;
    }
    progress(`latencies of ${INJECTED_MS.join(', ')} ms`);
    const errors = await measuredErrors(quick ? 2 : 20 * rounds);
    const rows = [...costRows(costs, sizes), ...errorRows(errors)];
    return { rows, raw: { costs, errors }, goals: goalsOf(costs, errors, sizes) };
  },
};

/** The probers' own rounds among so many servers of this process: with landmarks, and with every peer. */
async function roundsOf(count: number, rounds: number): Promise<Record<string, Round[]>> {
  const names = nodeNames(count);
  const metrics = proberMetrics();
  const { registry } = metrics;
  const none = parseSimulatedLatencies('');
  const servers: HealthServer[] = [];
  for (const node of names)
    servers.push(
      await startHealthServer({
        ...{ host: '127.0.0.1', port: 0, keepAliveMs: 120_000, registry },
        ...{ healthy: () => ({ ok: true }), ready: () => ({ ok: true }) },
        routes: (app) =>
          addProberRoutes(app, {
            ...{ node, clock: systemClock, simulated: none, peers: { focus: () => false } },
            scores: () =>
              scoresAt(
                { node, cpu: undefined, peers: new Map() },
                { ...settingsOf(node, LANDMARKS), simulated: false },
                systemClock.nowMs(),
              ),
          }),
      }),
    );
  const list = new StaticPeers(servers.map(({ port }) => `127.0.0.1:${port}`).join());
  const log = pino({ level: 'silent' });
  const turns: Record<string, Round[]> = {};
  try {
    const echoes: HttpEcho[] = [];
    const watchers = (landmarks: number): PeerWatch[] =>
      names.map((node, index) => {
        const settings = settingsOf(node, landmarks);
        const echo = new HttpEcho(node, settings.probeTimeoutMs);
        echoes.push(echo);
        const own = `127.0.0.1:${servers[index]?.port}`;
        return new PeerWatch(own, list, echo, settings, systemClock, log, metrics);
      });
    const all = { [OURS]: watchers(LANDMARKS), [ALL]: watchers(count) };
    const answered = async (): Promise<number> => {
      const { values } = await metrics.probes.get();
      return values.reduce((sum, { value }) => sum + value, 0);
    };
    const turn = async (watches: readonly PeerWatch[]): Promise<Round> => {
      const probesBefore = await answered();
      const before = process.cpuUsage();
      for (const watch of watches) await watch.round();
      const { user, system } = process.cpuUsage(before);
      const probes = (await answered()) - probesBefore;
      const { probesPerRound } = settingsOf('', LANDMARKS);
      return { probes, pairs: probes / probesPerRound, processorMs: (user + system) / 1000 };
    };
    // The first round opens the connections.
    for (const watches of Object.values(all)) await turn(watches);
    for (let round = 0; round < rounds; round += 1)
      for (const [name, watches] of Object.entries(all))
        (turns[name] ??= []).push(await turn(watches));
    for (const echo of echoes) echo.close();
  } finally {
    await Promise.all(servers.map((server) => server.close()));
  }
  return turns;
}

/** The defaults, but the same landmarks for as long as this takes, and patience with a busy machine. */
const settingsOf = (node: string, landmarks: number) =>
  parseSettings(proberSettings, {
    ...{ NODE_NAME: node || 'none', LANDMARKS: String(landmarks), LANDMARK_CYCLE_MS: '3600000' },
    PROBE_TIMEOUT_MS: '30000',
  });

/** Real probers, of which one is so far from each other; beside it one ping at a time, over a new connection. */
async function measuredErrors(samples: number): Promise<Errors> {
  const ports = await freePorts(INJECTED_MS.length + 1);
  const names = nodeNames(ports.length);
  const [asking = ''] = names;
  const probers: RunningService[] = [];
  const errors: Errors = { prober: [], ping: [] };
  try {
    for (const [index, port] of ports.entries())
      probers.push(
        await RunningService.start('prober', {
          ...{ NODE_NAME: names[index] ?? '', PORT: String(port), CPU_SOURCE: 'proc' },
          PEERS: ports.map((one) => `127.0.0.1:${one}`).join(),
          ...{ PROBE_INTERVAL_MS: '500', PROBE_TIMEOUT_MS: '10000', LATENCY_HALF_LIFE_MS: '2000' },
          SIMULATED_LATENCIES_MS: INJECTED_MS.map(
            (ms, other) => `${asking}/${names[other + 1]}=${ms}`,
          ).join(),
        }),
      );
    for (let sample = 0; sample < samples; sample += 1) {
      const averaged = 8 * (sample + 1);
      const peers = await eventually('every peer was measured some more times', async () => {
        const scores = proberScoresSchema.parse((await probers[0]?.get('/scores'))?.body);
        const known = names.slice(1).map((name) => scores.peers[name]);
        return known.every((one) => one !== undefined && one.samples >= averaged) && known;
      });
      for (const [index, trueMs] of INJECTED_MS.entries()) {
        errors.prober.push(Math.abs((peers[index]?.latencyMs ?? NaN) - trueMs) / trueMs);
        const startedMs = performance.now();
        const headers = { 'x-berth-node': asking, connection: 'close' };
        await (await fetch(`http://127.0.0.1:${ports[index + 1]}/echo`, { headers })).text();
        errors.ping.push(Math.abs(performance.now() - startedMs - trueMs) / trueMs);
      }
    }
  } finally {
    await Promise.all(probers.map((prober) => prober.stop()));
  }
  return errors;
}

type Costs = Readonly<Record<string, readonly Round[]>>;

const middle = (costs: Costs, name: string, nodes: number, figure: keyof Round): number =>
  median((costs[`${name}, ${nodes} nodes`] ?? []).map((round) => round[figure]));

function costRows(costs: Costs, sizes: readonly number[]): Row[] {
  return [OURS, ALL].flatMap((name) =>
    sizes.map((nodes) => ({
      prober: `${name}, ${nodes} nodes`,
      pairs_per_round: middle(costs, name, nodes, 'pairs'),
      requests_per_round: middle(costs, name, nodes, 'probes'),
      processor_ms_per_round: rounded(middle(costs, name, nodes, 'processorMs')),
      ratio_to_all_pairs: rounded(
        middle(costs, name, nodes, 'processorMs') / middle(costs, ALL, nodes, 'processorMs'),
      ),
      exponent: rounded(
        growthExponent(sizes.map((size) => [size, middle(costs, name, size, 'pairs')] as const)),
      ),
    })),
  );
}

const percent = (ratio: number): number => rounded(100 * ratio);

const errorRows = ({ prober, ping }: Errors): Row[] => [
  { latency: 'prober', error_percent_p50: percent(median(prober)) },
  {
    latency: 'one ping over a new connection',
    error_percent_p50: percent(median(ping)),
    ratio_of_prober: rounded(median(prober) / median(ping)),
  },
];

function goalsOf(costs: Costs, errors: Errors, sizes: readonly number[]): Goal[] {
  const nodes = sizes.at(-1) ?? 0;
  const [ours, all] = [middle(costs, OURS, nodes, 'pairs'), middle(costs, ALL, nodes, 'pairs')];
  const [error, ping] = [median(errors.prober), median(errors.ping)];
  return [
    {
      row: 'prober',
      what: `prober: pairs measured in a round of ${nodes} nodes`,
      measured: `${ours}`,
      ratio: `${rounded(ours / all)} x`,
      ...{ peer: `${all}, ${ALL}`, goal: `<= ${nodes} x ${LANDMARKS}` },
      met: ours <= nodes * LANDMARKS,
    },
    {
      row: 'prober',
      what: `prober: measured latency against injected ${INJECTED_MS.join(', ')} ms, median error`,
      ...{ measured: `${percent(error)} %`, peer: `${percent(ping)} %, one ping each` },
      ratio: `${rounded(error / ping)} x`,
      ...{ goal: `<= ${percent(GOAL_ERROR)} %`, met: error <= GOAL_ERROR },
    },
  ];
}
