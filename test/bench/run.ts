import { parseArgs } from 'node:util';
import { report, type Bench } from './report';

/** Every bench by its name; each is loaded only when it runs. */
const BENCHES: Readonly<Record<string, () => Promise<Bench>>> = {
  autoscaler: async () => (await import('./autoscaler.bench')).autoscalerBench,
  binding: async () => (await import('./binding.bench')).bindingBench,
  extender: async () => (await import('./extender.bench')).extenderBench,
  placement: async () => (await import('./cpu-scheduler.bench')).placementBench,
  scaler: async () => (await import('./scaler.bench')).scalerBench,
};

const USAGE = `npm run bench -- [--only NAME] [--rounds 5] [--nodes 1000] [--quick]
benches: ${Object.keys(BENCHES).join(', ')}
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', multiple: true },
      rounds: { type: 'string', default: '5' },
      nodes: { type: 'string' },
      quick: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return void process.stdout.write(USAGE);
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 100)
    throw new Error(`--rounds ${values.rounds}: must be a whole number from 1 to 100`);
  const nodes = values.nodes === undefined ? undefined : Number(values.nodes);
  if (nodes !== undefined && (!Number.isInteger(nodes) || nodes < 1 || nodes > 10_000))
    throw new Error(`--nodes ${values.nodes}: must be a whole number from 1 to 10000`);
  for (const name of values.only ?? Object.keys(BENCHES)) {
    const load = BENCHES[name];
    if (load === undefined) throw new Error(`--only ${name}: no such bench\n${USAGE}`);
    await report(name, await load(), { rounds, quick: values.quick, nodes });
  }
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
