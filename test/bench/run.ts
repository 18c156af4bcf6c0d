import { parseArgs } from 'node:util';
import { rowsOf, summaryOf } from './goal-rows';
import { progress } from './progress';
import { summaryTable, writeReadme } from './readme';
import { QUICK_RESULTS, report, RESULTS, type Bench, type StoredResult } from './report';

/** Every bench by its name; each is loaded only when it runs. */
const BENCHES: Readonly<Record<string, () => Promise<Bench>>> = {
  autoscaler: async () => (await import('./autoscaler.bench')).autoscalerBench,
  binding: async () => (await import('./binding.bench')).bindingBench,
  growth: async () => (await import('./growth.bench')).growthBench,
  extender: async () => (await import('./extender.bench')).extenderBench,
  choosing: async () => (await import('./cpu-scheduler.bench')).choosingBench,
  placement: async () => (await import('./placement/placement.bench')).placementBench,
  prober: async () => (await import('./prober.bench')).proberBench,
  queries: async () => (await import('./queries.bench')).queriesBench,
  scaler: async () => (await import('./scaler.bench')).scalerBench,
  soak: async () => (await import('./soak.bench')).soakBench,
  up: async () => (await import('./up.bench')).upBench,
};

const ROUNDS = '5';
const QUICK_ROUNDS = '1';

const USAGE = `npm run bench -- [--only NAME] [--rounds ${ROUNDS}] [--nodes N] [--quick] [--results DIR]
npm run bench -- --readme
  --only NAME   this bench alone; may be given again: ${Object.keys(BENCHES).join(', ')}
  --rounds N    interleaved rounds of ours and its peers, 1..100 (${ROUNDS}; ${QUICK_ROUNDS} with --quick)
  --nodes N     nodes of the cluster where the bench has a choice, 1..10000
  --quick       less of everything, in some 4 minutes: to see that it runs, not to be quoted
  --results DIR where the raw figures go, in place of test/bench/results (test/bench/results/quick with --quick)
  --readme      runs nothing; writes what the last full runs have left into README.md and docs/performance.md
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', multiple: true },
      rounds: { type: 'string' },
      nodes: { type: 'string' },
      results: { type: 'string' },
      quick: { type: 'boolean', default: false },
      readme: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return void process.stdout.write(USAGE);
  if (values.readme) return writeReadme();
  const given = values.rounds ?? (values.quick ? QUICK_ROUNDS : ROUNDS);
  const rounds = Number(given);
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 100)
    throw new Error(`--rounds ${given}: must be a whole number from 1 to 100`);
  const nodes = values.nodes === undefined ? undefined : Number(values.nodes);
  if (nodes !== undefined && (!Number.isInteger(nodes) || nodes < 1 || nodes > 10_000))
    throw new Error(`--nodes ${values.nodes}: must be a whole number from 1 to 10000`);
  const names = values.only ?? Object.keys(BENCHES);
  const unknown = names.find((name) => BENCHES[name] === undefined);
  if (unknown !== undefined) throw new Error(`--only ${unknown}: no such bench\n${USAGE}`);
  const results: StoredResult[] = [];
  const folder = values.results ?? (values.quick ? QUICK_RESULTS : RESULTS);
  for (const [index, name] of names.entries()) {
    progress(`bench ${index + 1} of ${names.length}: ${name}`);
    const bench = await BENCHES[name]?.();
    if (bench !== undefined) {
      const options = { rounds, quick: values.quick, nodes };
      results.push(await report(name, bench, options, folder));
    }
  }
  // With --only, what nobody asked for is not missed.
  const rows = summaryOf(results, values.only === undefined ? undefined : rowsOf(results));
  if (rows.length === 0) return;
  process.stdout.write(`\n${values.quick ? 'Quick: not to be quoted.\n\n' : ''}`);
  process.stdout.write(`${summaryTable(rows)}\n`);
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
