import { readdir, readFile, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { traceOf, type RecordedProgram } from './recording';

const LOOK_MS = 1000;
/** Looks in one interval of what is kept. */
const LOOKS_PER_INTERVAL = 5;
/** Linux counts processor time in hundredths of a second. */
const MS_PER_TICK = 10;

/** Each program's processor time so far, by process and when it began. */
async function look(): Promise<Map<string, number>> {
  const seen = new Map<string, number>();
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields.length < 20) continue;
    seen.set(`${pid} ${fields[19]}`, (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK);
  }
  return seen;
}

/** Records what the programs of this machine use: `tsx test/bench/placement/record-trace.ts SECONDS`. */
async function main(): Promise<void> {
  const seconds = Number(process.argv[2] ?? 600);
  if (!Number.isInteger(seconds) || seconds < 10) throw new Error('SECONDS: 10 or more, whole');
  const programs = new Map<string, { firstLook: number; cpuMs: number[] }>();
  const startedMs = Date.now();
  for (let at = 0; at <= seconds; at += 1) {
    for (const [program, cpuMs] of await look()) {
      const known = programs.get(program) ?? { firstLook: at, cpuMs: [] };
      known.cpuMs.push(cpuMs);
      programs.set(program, known);
    }
    await pause(Math.max(0, startedMs + (at + 1) * LOOK_MS - Date.now()));
  }
  const recording = {
    ...{ intervalMs: LOOK_MS, looks: seconds + 1, processors: cpus().length },
    programs: [...programs.values()] satisfies RecordedProgram[],
  };
  const recorded = `${new Date(startedMs).toISOString()}, ${cpus().length} processors, every program of the machine`;
  const file = path.join(__dirname, 'recorded-trace.json');
  const trace = traceOf(recording, LOOKS_PER_INTERVAL, recorded);
  await writeFile(file, `${JSON.stringify(trace)}\n`);
  process.stdout.write(`${file}: ${trace.jobs.length} jobs in ${seconds} s\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`);
  process.exit(1);
});
