import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Summary } from '../../runtime/load-generator/types';
import { bundleOf, RunningService } from '../wire/support/running-service';
import { median, rounded, type Bench, type BenchOptions, type Row } from './report';

const DURATION_S = 600;
const QUICK_S = 12;
/** In less time a process is still warming up. */
const WARM_S = 120;
const SAMPLE_MS = 2000;
/** What a process may have grown by from the second quarter of the time to the last, and still count as flat. */
const GROWTH_RATIO = 1.1;
const GROWTH_MB = 8;
const MB = 2 ** 20;

const LIMITS = { MAX_IN_FLIGHT: 200, MAX_TOTAL_BLOAT_MB: 192, MAX_BLOAT_MB: 64, THREADS: 1 };
/** By the workload's README, with the default MAX_PRIME. */
const WORKLOAD_MB = LIMITS.MAX_TOTAL_BLOAT_MB + 150 + LIMITS.THREADS * (30 + 20_000_000 / 16 / MB);

/** Two loads, each with more due than there is room for, here or there. */
const LOADS: Readonly<Record<string, string>> = {
  // Slow answers: almost as many in flight as the workload takes, the generator's own queue full, the rest dropped.
  sleeping: '--qps 60 --concurrency 197 --max-waiting 100 --sleep 5000 --prime 100000',
  // Three of these hold all the memory that the workload gives.
  bloating: '--qps 20 --concurrency 50 --max-waiting 100 --sleep 1000 --bloat 64',
};

/** Memory of a process over time, in MB. */
class Memory {
  readonly samples: number[] = [];

  add(bytes: number | undefined): void {
    if (bytes !== undefined && Number.isFinite(bytes)) this.samples.push(bytes / MB);
  }

  quarter(number: 1 | 2 | 3 | 4): number {
    const size = this.samples.length / 4;
    return median(this.samples.slice(Math.floor((number - 1) * size), Math.floor(number * size)));
  }

  /** @throws when it is not flat, though the process had time to come to rest. */
  row(process: string, seconds: number): Row {
    const [second, last] = [this.quarter(2), this.quarter(4)];
    const peak = Math.max(...this.samples);
    if (seconds >= WARM_S && !(last <= second * GROWTH_RATIO + GROWTH_MB))
      throw new Error(`${process}: memory is not flat: ${second} MB, then ${last} MB`);
    return {
      process,
      memory_mb_second_quarter: rounded(second),
      memory_mb_last_quarter: rounded(last),
      memory_mb_peak: rounded(peak),
    };
  }
}

const durationOf = ({ quick }: BenchOptions): number => {
  const given = process.env.SOAK_SECONDS;
  const seconds = given === undefined ? (quick ? QUICK_S : DURATION_S) : Number(given);
  if (!(seconds >= 10 && seconds <= 86_400))
    throw new Error(`SOAK_SECONDS ${given}: must be a number from 10 to 86400`);
  return seconds;
};

/** Resident memory of a process, in bytes; undefined once it is gone. */
async function residentBytes(pid: number | undefined): Promise<number | undefined> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(text)?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}

async function startLoad(folder: string, name: string, port: string, seconds: number) {
  const json = path.join(folder, `${name}.json`);
  const args = [
    await bundleOf('load-generator'),
    ...['--ip', '127.0.0.1', '--port', port, '--duration', String(seconds)],
    ...['--json', json, '--jsonl', path.join(folder, `${name}.jsonl`)],
    ...(LOADS[name] ?? '').split(' '),
  ];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const memory = new Memory();
  return {
    name,
    memory,
    end: () => child.kill('SIGKILL'),
    sample: async () => memory.add(await residentBytes(child.pid)),
    /** @throws when it did not end well. */
    async summary(): Promise<Summary> {
      const code = await exited;
      if (code !== 0) throw new Error(`load generator ${name}: ended with ${code}`);
      return JSON.parse(await readFile(json, 'utf8')) as Summary;
    },
  };
}

/** Load generator and workload, each at the edge of its limits, for ten minutes. */
export const soakBench: Bench = {
  what: 'memory of workload and load generators at the edge of their limits (SOAK_SECONDS: for how long)',
  async run(options) {
    const seconds = durationOf(options);
    const folder = await mkdtemp(path.join(tmpdir(), 'berth-soak-'));
    const env = Object.entries(LIMITS).map(([name, value]) => [name, String(value)]);
    const workload = await RunningService.start('workload', Object.fromEntries(env));
    const loads: Awaited<ReturnType<typeof startLoad>>[] = [];
    try {
      const { port } = new URL(workload.url);
      for (const name of Object.keys(LOADS))
        loads.push(await startLoad(folder, name, port, seconds));
      const memory = new Memory();
      const untilMs = performance.now() + seconds * 1000;
      while (performance.now() < untilMs) {
        memory.add(await workload.metric('process_resident_memory_bytes'));
        await Promise.all(loads.map((load) => load.sample()));
        await pause(SAMPLE_MS);
      }
      const summaries = await Promise.all(loads.map((load) => load.summary()));
      const refused = {
        concurrency: await workload.metric('workload_refused_total{reason="concurrency"}'),
        memory: await workload.metric('workload_refused_total{reason="memory"}'),
      };
      const missed = neverReached({ ...refused, dropped: summaries[0]?.dropped });
      if (missed.length > 0 && seconds >= WARM_S)
        throw new Error(`limits that were never reached: ${missed.join(', ')}`);
      const peak = Math.max(...memory.samples);
      if (peak > WORKLOAD_MB)
        throw new Error(`workload: ${peak} MB, more than its README says (${WORKLOAD_MB})`);
      const rows = [
        {
          ...memory.row('workload', seconds),
          seconds,
          refused_for_concurrency: refused.concurrency ?? NaN,
          refused_for_memory: refused.memory ?? NaN,
          ...(missed.length > 0 && { limits_not_reached: missed.join(', ') }),
        },
        ...loads.map((load, index) => {
          const { total, successful, failed, dropped } = summaries[index]!;
          const counts = { total, successful, failed, dropped };
          return { ...load.memory.row(`load generator, ${load.name}`, seconds), ...counts };
        }),
      ];
      const samples = loads.map((load) => [load.name, load.memory.samples]);
      const raw = { limits: LIMITS, loads: LOADS, summaries, sampleMs: SAMPLE_MS };
      return {
        rows,
        raw: { ...raw, memoryMb: { workload: memory.samples, ...Object.fromEntries(samples) } },
      };
    } finally {
      for (const load of loads) load.end();
      await workload.stop();
      await rm(folder, { recursive: true, force: true });
    }
  },
};

/** The limits that were not reached: where there are any, flat memory says nothing. */
const neverReached = (reached: Readonly<Record<string, number | undefined>>): string[] =>
  Object.entries(reached).flatMap(([limit, times = 0]) => (times > 0 ? [] : [limit]));
