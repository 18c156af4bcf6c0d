import { z } from 'zod';
import type { RawFile, Round } from '../types';

/** Everything in the raw files that cannot be read, each with its place. */
export class RawDataError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(`the raw data cannot be read:\n${problems.map((p) => `  ${p}`).join('\n')}`);
    this.name = 'RawDataError';
  }
}

const count = z.int().min(0);
const atMs = z.number();
const bounds = z
  .object({ notBeforeMs: atMs, notAfterMs: atMs })
  .refine(({ notBeforeMs, notAfterMs }) => notBeforeMs <= notAfterMs, 'ends before it begins');
const lineSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('round'),
    // It is part of the names of files.
    scheduler: z.string().regex(/^[a-z0-9][a-z0-9.-]*$/, 'must be the name of a scheduler'),
    round: z.int().min(1),
    startedAtMs: atMs,
    dropped: count.default(0),
  }),
  z.object({
    kind: z.literal('request'),
    intendedAtMs: atMs,
    latencyMs: z.number().min(0),
    outcome: z.string(),
  }),
  z.object({
    kind: z.literal('pods'),
    atMs,
    running: count,
    pending: count.default(0),
    desired: z.record(z.string(), count),
  }),
  z.object({ kind: z.literal('cpu'), atMs, node: z.string(), cpuRatio: z.number().nullable() }),
  z.object({
    kind: z.literal('placement'),
    pod: z.string(),
    node: z.string(),
    created: bounds.nullable(),
    bound: bounds.nullable(),
  }),
]);
type Line = z.infer<typeof lineSchema>;

/** Reads raw files, one round each. @throws RawDataError naming file and line of everything that is wrong. */
export function parseRounds(files: readonly RawFile[]): Round[] {
  const problems: string[] = [];
  const rounds: Round[] = [];
  const seen = new Map<string, string>();
  for (const file of files) {
    const lines = parseLines(file, problems);
    const of = <K extends Line['kind']>(kind: K): Extract<Line, { kind: K }>[] =>
      lines.filter((line): line is Extract<Line, { kind: K }> => line.kind === kind);
    const [head, ...more] = of('round');
    if (head === undefined || more.length > 0) {
      problems.push(
        `${file.name}: needs one line of kind "round", has ${more.length + (head ? 1 : 0)}`,
      );
      continue;
    }
    const key = `round ${head.round} of ${head.scheduler}`;
    const other = seen.get(key);
    if (other !== undefined) problems.push(`${file.name}: ${key} is also in ${other}`);
    seen.set(key, file.name);
    rounds.push({
      file: file.name,
      scheduler: head.scheduler,
      round: head.round,
      startedAtMs: head.startedAtMs,
      dropped: head.dropped,
      requests: of('request'),
      pods: of('pods'),
      cpu: of('cpu'),
      placements: of('placement'),
    });
  }
  if (files.length === 0) problems.push('there is no raw file');
  if (problems.length > 0) throw new RawDataError(problems);
  return rounds;
}

function parseLines(file: RawFile, problems: string[]): Line[] {
  return file.text.split('\n').flatMap((text, index) => {
    if (text.trim() === '') return [];
    const place = `${file.name}:${index + 1}`;
    try {
      const parsed = lineSchema.safeParse(JSON.parse(text));
      if (parsed.success) return [parsed.data];
      for (const { path, message } of parsed.error.issues)
        problems.push(`${place}: ${[path.join('.'), message].filter(Boolean).join(': ')}`);
    } catch {
      problems.push(`${place}: is not JSON`);
    }
    return [];
  });
}
