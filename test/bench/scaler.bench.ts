import { fork, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import type { Client } from '@grpc/grpc-js';
import { Bench } from 'tinybench';
import { Bench as Play } from '../policy/external-scaler/support';
import { progress } from './progress';
import {
  latencyRows,
  median,
  quantile,
  rounded,
  type Goal,
  type Bench as RegisteredBench,
  type Row,
  timesOf,
} from './report';
import { getMetrics, scalerClient } from './scaler-client';
import type { PeerReady } from './scaler-peer';

/** KEDA polls each ScaledJob every 10 s with three calls; 10,000 of them make 3,000 calls a second. */
const IDENTITIES = 10_000;
const NODES = 100;
const CALLS_PER_MS = 3;
/** For the throughput, which is measured apart from the latency at that rate. */
const IN_FLIGHT = 32;

type Peer = 'scaler' | 'constant';
/** One round against one server. */
interface Round {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly callsPerSecond: number;
  /** Calls a second that came out where CALLS_PER_MS was wanted. */
  readonly pacedPerSecond: number;
  /** Processors the server used at the rate at which the latency was measured. */
  readonly processors: number;
}

/** What one decision costs, and what the scaler's calls cost over a server that answers a constant. */
export const scalerBench: RegisteredBench = {
  what: 'cost of a decision; GetMetrics over loopback against a server that answers a constant',
  async run({ rounds, quick }) {
    const decisions = await decisionRows(quick);
    const calls = quick ? 2000 : 20_000;
    const results: Record<Peer, Round[]> = { scaler: [], constant: [] };
    const servers = await Promise.all([startServer('scaler'), startServer('constant')]);
    try {
      for (const server of servers) await server.round(calls); // warm
      for (let round = 0; round < rounds; round += 1) {
        progress(`calls: round ${round + 1} of ${rounds}`);
        // Ours goes first in every other round.
        for (const server of round % 2 === 0 ? servers : [...servers].reverse())
          results[server.peer].push(await server.round(calls));
      }
    } finally {
      for (const server of servers) server.stop();
    }
    return {
      rows: [...decisions, ...rpcRows(results)],
      raw: { decisions, results },
      goals: goalsOf(results),
    };
  },
};

/** A decision while all berths are taken and all wait, as almost all are in a long queue; and with a changed world. */
async function decisionRows(quick: boolean): Promise<Row[]> {
  const bench = new Bench(timesOf(quick));
  for (const count of [10, 100, 1000, 10_000]) {
    const play = new Play({ IDENTITY_TTL_MS: '3600000', READING_MAX_AGE_MS: '3600000' });
    play.nodes(...Array.from({ length: NODES }, (_, index) => `node-${index}`));
    const names = Array.from({ length: count }, (_, index) => `job-${index}`);
    play.scaledJobs(...names);
    for (const name of names) play.ask(name);
    let next = 0;
    const ask = (): void => {
      play.ask(names[(next = (next + 1) % count)] ?? '');
    };
    bench.add(`unchanged world, ${count} ScaledJobs`, ask);
    bench.add(`changed world, ${count} ScaledJobs, ${NODES} nodes`, () => {
      play.scaler.changed();
      ask();
    });
  }
  await bench.run();
  return latencyRows(bench);
}

function rpcRows(results: Readonly<Record<Peer, readonly Round[]>>): Row[] {
  const of = (peer: Peer, figure: keyof Round): number =>
    median(results[peer].map((round) => round[figure]));
  const row = (peer: Peer): Row => ({
    rpc: peer === 'scaler' ? `scaler, ${IDENTITIES} ScaledJobs` : 'a constant',
    milliseconds_p50: rounded(of(peer, 'p50Ms')),
    milliseconds_p99: rounded(of(peer, 'p99Ms')),
    calls_per_second: rounded(of(peer, 'callsPerSecond')),
    processors: rounded(of(peer, 'processors')),
  });
  const ratio = (figure: keyof Round): number =>
    rounded(of('scaler', figure) / of('constant', figure));
  return [
    row('scaler'),
    row('constant'),
    {
      rpc: 'scaler over a constant',
      ratio_p50: ratio('p50Ms'),
      ratio_p99: ratio('p99Ms'),
      ratio_throughput: ratio('callsPerSecond'),
      milliseconds_more_p99: rounded(of('scaler', 'p99Ms') - of('constant', 'p99Ms')),
    },
  ];
}

function goalsOf(results: Readonly<Record<Peer, readonly Round[]>>): Goal[] {
  const of = (peer: Peer, figure: keyof Round): number =>
    rounded(median(results[peer].map((round) => round[figure])));
  const [ours, empty] = [of('scaler', 'p99Ms'), of('constant', 'p99Ms')];
  const [processors, paced] = [of('scaler', 'processors'), of('scaler', 'pacedPerSecond')];
  const wanted = CALLS_PER_MS * 1000;
  const what = `external scaler at ${wanted} calls a second`;
  return [
    {
      row: 'scaler-calls',
      what: `${what}: p99 of a call`,
      ...{ measured: `${ours} ms`, peer: `${empty} ms, a constant` },
      ratio: `${rounded(ours / empty)} x, ${rounded(ours - empty)} ms more`,
      ...{ goal: '< 1 ms over the constant', met: ours - empty < 1 },
    },
    {
      row: 'scaler-calls',
      what: `${what}: processors`,
      measured: `${processors} at ${paced}/s`,
      peer: `${of('constant', 'processors')}, a constant`,
      ratio: `${rounded(processors / of('constant', 'processors'))} x`,
      ...{ goal: '< 1', met: processors < 1 && paced >= 0.95 * wanted },
    },
  ];
}

/** Starts a server as a process of its own, and a client of it. */
async function startServer(peer: Peer) {
  const child = fork(path.join(__dirname, 'scaler-peer.ts'), [peer, `${IDENTITIES}`, `${NODES}`], {
    execArgv: ['--require', 'tsx/cjs'],
  });
  const { port } = await message<PeerReady>(child);
  const client = scalerClient(port);
  const processorMs = async (): Promise<number> => {
    const answer = message<number>(child);
    child.send('processor time');
    return answer;
  };
  const round = async (calls: number): Promise<Round> => {
    const usedMs = await processorMs();
    const pacedMs = performance.now();
    const latencies = await callPaced(client, calls);
    const tookMs = performance.now() - pacedMs;
    const processors = ((await processorMs()) - usedMs) / tookMs;
    const startedMs = performance.now();
    await callAll(client, calls);
    const callsPerSecond = (calls * 1000) / (performance.now() - startedMs);
    return {
      p50Ms: quantile(latencies, 0.5),
      p99Ms: quantile(latencies, 0.99),
      callsPerSecond,
      pacedPerSecond: (calls * 1000) / tookMs,
      processors,
    };
  };
  const stop = (): void => {
    client.close();
    child.kill('SIGTERM');
  };
  return { peer, round, stop };
}

const message = <T>(child: ChildProcess): Promise<T> =>
  new Promise((resolve, reject) => {
    child.once('message', (value) => resolve(value as T));
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}`)));
  });

/** Calls GetMetrics for the next ScaledJob. @returns how long it took, in ms. */
const call = (client: Client, index: number): Promise<number> =>
  getMetrics(client, `job-${index % IDENTITIES}`);

/** Calls at a steady rate, whatever the answers take. @returns how long each took, in ms. */
async function callPaced(client: Client, calls: number): Promise<number[]> {
  const startedMs = performance.now();
  const pending: Promise<number>[] = [];
  while (pending.length < calls) {
    const due = Math.min(calls, (performance.now() - startedMs) * CALLS_PER_MS);
    while (pending.length < due) pending.push(call(client, pending.length));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return Promise.all(pending);
}

/** Calls as fast as the answers come, IN_FLIGHT at a time. */
async function callAll(client: Client, calls: number): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < calls) await call(client, (next += 1));
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
}
