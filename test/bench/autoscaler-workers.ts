import { setTimeout as sleep } from 'node:timers/promises';
import { progress } from './progress';
import { median, rounded, type Goal, type Row } from './report';
import { WorkerLab, type Started } from './worker-lab';

/** What the autoscaler may add to the one scrape that it needs to see that a threshold was crossed. */
const REACTION_MS = 300;
/** What its own handling of a worker may cost until the node is Ready, as a factor of by hand. */
const READY_FACTOR = 1.05;

/** What is measured of one worker in one round, in milliseconds. */
interface Times {
  /** From what made it grow, or from the command by hand, until Docker had made the container. */
  readonly toCreated: number;
  /** The same until Docker had started it. */
  readonly toStarted: number;
  /** Of the former, from when Prometheus had scraped it; undefined where no scrape is waited for. */
  readonly fromScraped?: number;
  /** From the container's start to a node that is Ready. */
  readonly toReady: number;
}

type Peer = 'usage crosses' | 'a pod waits' | 'by hand';

/** How often, and how often Prometheus scrapes. */
export interface WorkerSizes {
  readonly rounds: number;
  readonly scrapeSeconds: number;
}

/**
 * How long a new worker takes: the autoscaler as a process, with a real Prometheus, Redis, MongoDB wire protocol and
 * docker-socket-proxy, has a real Docker engine start the lab's k3s as the dev estate's autoscaler does, which joins a real
 * server. Beside it, in turn, `docker run` of the same image with the same options, by hand.
 */
export async function workerTimes(
  sizes: WorkerSizes,
): Promise<{ rows: Row[]; raw: Record<Peer, Times[]>; goals: Goal[] }> {
  const times: Record<Peer, Times[]> = { 'usage crosses': [], 'a pod waits': [], 'by hand': [] };
  progress('a server, an engine, and a first worker');
  const lab = await WorkerLab.start(sizes.scrapeSeconds);
  try {
    for (let round = 0; round < sizes.rounds; round += 1) {
      progress(`workers: round ${round + 1} of ${sizes.rounds}`);
      // Spread over the time between two scrapes.
      const phaseMs = ((round + 0.5) / sizes.rounds) * sizes.scrapeSeconds * 1000;
      const measures: [Peer, () => Promise<Times>][] = [
        ['usage crosses', () => byUsage(lab, phaseMs)],
        ['by hand', () => byHand(lab)],
        ['a pod waits', () => byPod(lab)],
      ];
      for (const [peer, measure] of measures) times[peer].push(await measure());
    }
  } finally {
    await lab.stop();
  }
  return {
    rows: rowsOf(times),
    raw: times,
    goals: goalsOf(times, sizes.scrapeSeconds * 1000),
  };
}

async function byUsage(lab: WorkerLab, phaseMs: number): Promise<Times> {
  await lab.quiet();
  await lab.scraped();
  await sleep(phaseMs);
  const scraped = lab.scraped();
  const crossedMs = Date.now();
  lab.setMemory(0.95);
  const grown = lab.grown();
  const scrapedMs = await scraped;
  const started = await grown;
  lab.setMemory(0.5);
  const toReady = await readyAfter(lab, started);
  await lab.readLow();
  await lab.shrink(started.name);
  return {
    ...since(crossedMs, started),
    fromScraped: started.createdMs - scrapedMs,
    toReady,
  };
}

async function byPod(lab: WorkerLab): Promise<Times> {
  await lab.quiet();
  const grown = lab.grown();
  const waitsMs = await lab.addWaitingPod();
  const started = await grown;
  await lab.removeWaitingPod();
  const toReady = await readyAfter(lab, started);
  await lab.shrink(started.name);
  return { ...since(waitsMs, started), toReady };
}

async function byHand(lab: WorkerLab): Promise<Times> {
  await lab.quiet();
  const askedMs = Date.now();
  const started = await lab.runByHand();
  const toReady = await readyAfter(lab, started);
  await lab.removeByHand(started.name);
  return { ...since(askedMs, started), toReady };
}

const since = (fromMs: number, { createdMs, atMs }: Started) => ({
  toCreated: createdMs - fromMs,
  toStarted: atMs - fromMs,
});

const readyAfter = async (lab: WorkerLab, { name, atMs }: Started): Promise<number> =>
  (await lab.ready(name)) - atMs;

const of = (times: readonly Times[], what: keyof Times): number =>
  rounded(median(times.map((one) => one[what] ?? NaN)));
const worst = (times: readonly Times[], what: keyof Times): number =>
  rounded(Math.max(...times.map((one) => one[what] ?? NaN)));

const rowsOf = (times: Readonly<Record<Peer, Times[]>>): Row[] =>
  Object.entries(times).map(([peer, all]) => ({
    worker: peer,
    to_created_milliseconds_p50: of(all, 'toCreated'),
    to_started_milliseconds_p50: of(all, 'toStarted'),
    to_started_milliseconds_worst: worst(all, 'toStarted'),
    ...(all.some(({ fromScraped }) => fromScraped !== undefined)
      ? { of_which_scraped_to_created_milliseconds_p50: of(all, 'fromScraped') }
      : {}),
    started_to_ready_milliseconds_p50: of(all, 'toReady'),
  }));

function goalsOf(times: Readonly<Record<Peer, Times[]>>, scrapeMs: number): Goal[] {
  const { 'usage crosses': usage, 'a pod waits': waits, 'by hand': hand } = times;
  const grown = (what: string, all: readonly Times[], mostMs: number): Goal => ({
    row: 'autoscaler-worker',
    what: `autoscaler: ${what} -> container started (of which until Docker had made it): p50`,
    measured: `${of(all, 'toStarted')} ms (${of(all, 'toCreated')} ms)`,
    peer: `docker run by hand: ${of(hand, 'toStarted')} ms (${of(hand, 'toCreated')} ms)`,
    ratio: `${rounded(of(all, 'toStarted') / of(hand, 'toStarted'))} x`,
    goal: `<= ${mostMs} ms`,
    met: of(all, 'toStarted') <= mostMs,
  });
  const [ours, byHand] = [of([...usage, ...waits], 'toReady'), of(hand, 'toReady')];
  return [
    grown(
      `CPU and memory cross their thresholds, scraped every ${scrapeMs} ms`,
      usage,
      scrapeMs + REACTION_MS,
    ),
    grown('a pod waits', waits, REACTION_MS),
    {
      row: 'autoscaler-worker',
      what: 'autoscaler: container started -> node Ready: p50',
      measured: `${ours} ms`,
      peer: `docker run by hand: ${byHand} ms`,
      ratio: `${rounded(ours / byHand)} x`,
      goal: `<= ${READY_FACTOR} x by hand`,
      met: ours <= READY_FACTOR * byHand,
    },
  ];
}
